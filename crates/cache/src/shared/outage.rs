//! An outage of Redis: the pause before each probe, and when to log its start and end. If Redis answers a
//! probe and fails again shortly afterwards, this is the same outage.

use std::time::Duration;

use tokio::time::Instant;

/// The maximum pause between two probes.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// The number of probes in this outage.
    probes: u32,
    /// Whether the start of the outage was logged and its end was not.
    is_told: bool,
    /// Since when all nodes have answered. `None` during the outage.
    up_since: Option<Instant>,
    /// The problem at the last failure.
    pub(crate) trouble: Option<&'static str>,
}

impl Outage {
    /// The outage is over when all nodes have answered for this time.
    pub(crate) const OVER_AFTER: Duration = LONGEST_PAUSE;

    /// Records a failure. Returns whether to log it.
    pub(crate) fn fails(&mut self, now: Instant, trouble: &'static str) -> bool {
        self.trouble = Some(trouble);
        if self.up_since.take().is_some_and(|since| now - since >= Self::OVER_AFTER) {
            self.probes = 0;
        }
        !std::mem::replace(&mut self.is_told, true)
    }

    /// The pause before the next probe, which starts with `first` and doubles each time. `chance` (0 to 1)
    /// shortens it by up to a quarter, so that replicas do not probe at the same time.
    pub(crate) fn pause(&mut self, first: Duration, chance: f64) -> Duration {
        let pause = first.saturating_mul(1 << self.probes.min(16)).min(LONGEST_PAUSE);
        self.probes += 1;
        pause.mul_f64(1.0 - chance / 4.0)
    }

    /// Records that all nodes answer.
    pub(crate) fn answers(&mut self, now: Instant) {
        self.up_since = Some(now);
    }

    /// Whether to log now that the outage is over.
    pub(crate) fn is_over(&mut self, now: Instant) -> bool {
        let is_over = self.up_since.is_some_and(|since| now - since >= Self::OVER_AFTER);
        is_over && std::mem::take(&mut self.is_told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(250);

    #[test]
    fn pauses_double_up_to_five_seconds() {
        let mut outage = Outage::default();
        let pauses = [0; 7].map(|_| outage.pause(FIRST, 0.0).as_millis());
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
        assert_eq!(outage.pause(FIRST, 1.0).as_millis(), 3_750);
    }

    #[test]
    fn flapping_redis_is_one_outage() {
        let (mut outage, mut now) = (Outage::default(), Instant::now());
        let mut begun = 0;
        for _ in 0..100 {
            begun += u32::from(outage.fails(now, "x"));
            now += outage.pause(FIRST, 0.0);
            outage.answers(now);
            now += Outage::OVER_AFTER / 2;
            assert!(!outage.is_over(now));
        }
        assert_eq!((begun, outage.pause(FIRST, 0.0)), (1, LONGEST_PAUSE));
        now += Outage::OVER_AFTER;
        assert!(outage.is_over(now) && !outage.is_over(now));
        assert!(outage.fails(now, "x"), "the next outage is another one");
        assert_eq!(outage.pause(FIRST, 0.0), FIRST);
    }
}
