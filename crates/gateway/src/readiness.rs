//! Whether this instance should still receive requests: no longer, once the program is about to
//! end. Also notes whether a load balancer probes readiness; if none does, the program need not
//! wait for one before it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Shared by all listeners and the code that stops the gateway.
#[derive(Default)]
pub(crate) struct Readiness {
    draining: AtomicBool,
    last_probe: Mutex<Option<Instant>>,
}

impl Readiness {
    /// From now on, load balancers should use another instance.
    pub(crate) fn withdraw(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn probed(&self, now: Instant) {
        *self.last_probe.lock() = Some(now);
    }

    pub(crate) fn probed_within(&self, span: Duration, now: Instant) -> bool {
        let last = *self.last_probe.lock();
        last.is_some_and(|last| now.saturating_duration_since(last) <= span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_counts_for_the_requested_time() {
        let (readiness, start) = (Readiness::default(), Instant::now());
        let span = Duration::from_secs(60);
        assert!(!readiness.probed_within(span, start));
        readiness.probed(start);
        assert!(readiness.probed_within(span, start + span));
        assert!(!readiness.probed_within(span, start + span + Duration::from_millis(1)));
    }
}
