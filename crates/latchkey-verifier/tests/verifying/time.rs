//! A clock that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use latchkey_verifier::{Clock, Moment};

/// Milliseconds since the test began.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<AtomicU64>);

const BEGAN: u64 = 1_700_000_000;

impl TestClock {
    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> u64 {
        self.now().unix.as_secs()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        let passed = Duration::from_millis(self.0.load(Ordering::SeqCst));
        Moment { monotonic: passed, unix: Duration::from_secs(BEGAN) + passed }
    }
}
