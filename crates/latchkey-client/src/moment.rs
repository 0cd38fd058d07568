//! Instants of two clocks. The monotonic clock stops while a machine is suspended, and the wall clock may be
//! set. The age of a token is the larger of the two.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// An instant: the time since the source was made, and since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockReading {
    pub(crate) monotonic: Duration,
    pub(crate) wall: Duration,
}

impl ClockReading {
    /// The time since an earlier instant. A wall clock that went back is ignored.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        monotonic.max(self.wall.saturating_sub(earlier.wall))
    }
}

/// Reads both clocks.
#[derive(Debug, Clone)]
pub(crate) struct Clocks {
    pub(crate) begun: Instant,
    /// Tests read a wall clock that goes with tokio's paused clock, and set it.
    #[cfg(test)]
    pub(crate) simulated: Option<std::sync::Arc<std::sync::atomic::AtomicU64>>,
}

impl Clocks {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            #[cfg(test)]
            simulated: None,
        }
    }

    pub(crate) fn now(&self) -> ClockReading {
        let monotonic = self.begun.elapsed();
        #[cfg(test)]
        if let Some(step) = &self.simulated {
            let step = Duration::from_secs(step.load(std::sync::atomic::Ordering::Relaxed));
            return ClockReading { monotonic, wall: step + monotonic };
        }
        ClockReading { monotonic, wall: wall().duration_since(UNIX_EPOCH).unwrap_or_default() }
    }
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "this file reads the clocks of this crate")]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(monotonic: u64, wall: u64) -> ClockReading {
        ClockReading { monotonic: Duration::from_secs(monotonic), wall: Duration::from_secs(wall) }
    }

    #[test]
    fn larger_of_both_elapsed_times_counts() {
        for (later, age, why) in [
            (moment(20, 1020), 10, "both agree"),
            (moment(11, 29_000), 27_990, "the machine was suspended"),
            (moment(40, 5), 30, "the wall clock was set back"),
            (moment(10, 1010), 0, "no time passed"),
        ] {
            assert_eq!(later.since(moment(10, 1010)), Duration::from_secs(age), "{why}");
        }
    }
}
