//! The time, by two clocks: one for the current second, the other for the elapsed time.

use std::time::{Duration, Instant, SystemTime};

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since any fixed point; never goes back.
    pub monotonic: Duration,
    /// Since 1970-01-01T00:00:00Z.
    pub unix: Duration,
}

/// A source of the time. Tests bring their own.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Moment;
}

/// The clocks of the machine.
pub(crate) struct SystemClock(Instant);

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the crate's one clock")]
    fn now(&self) -> Moment {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Moment { monotonic: self.0.elapsed(), unix }
    }
}

impl Moment {
    /// The time since then: the longer one of both clocks, because the monotonic one stops while a machine is
    /// suspended.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        monotonic.max(self.unix.saturating_sub(earlier.unix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_survives_suspension_and_clock_changes() {
        let at = |monotonic, unix| Moment {
            monotonic: Duration::from_secs(monotonic),
            unix: Duration::from_secs(unix),
        };
        for (now, passed) in [(at(15, 105), 5), (at(11, 400), 300), (at(15, 50), 5), (at(10, 100), 0)] {
            assert_eq!(now.since(at(10, 100)).as_secs(), passed, "{now:?}");
        }
    }
}
