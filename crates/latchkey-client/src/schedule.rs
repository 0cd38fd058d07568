//! When a token is renewed, by its lifetime and its age. This code is pure.

use std::time::Duration;

/// Renewal begins this long before the end, as the client guide advises, or a tenth of the lifetime
/// before it if that is shorter.
const EARLY: Duration = Duration::from_secs(300);

/// Callers wait for a renewal this long before the end, or a twentieth of the lifetime before it if that is
/// shorter.
const LAST: Duration = Duration::from_secs(10);

/// The instants of a token's life, as ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule {
    renew: Duration,
    last: Duration,
    end: Duration,
}

/// The use that a caller may make of a token of this age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Use it.
    Fresh,
    /// Use it, and ensure that one renewal runs.
    Due,
    /// Wait for the renewal. The token is good if that fails.
    Last,
    /// Wait for the renewal, or fail.
    Ended,
}

impl Schedule {
    /// `chance` is from 0 up to 1 and drawn once for each token. It makes renewal earlier, so that services
    /// that began in the same second do not renew in the same second.
    pub(crate) fn new(lifetime: Duration, chance: f64) -> Self {
        let early = EARLY.min(lifetime / 10);
        let renew = lifetime - early - early.mul_f64(chance.clamp(0.0, 1.0));
        Self { renew, last: lifetime - LAST.min(lifetime / 20), end: lifetime }
    }

    pub(crate) fn phase(self, age: Duration) -> Phase {
        match age {
            age if age >= self.end => Phase::Ended,
            age if age >= self.last => Phase::Last,
            age if age >= self.renew => Phase::Due,
            _ => Phase::Fresh,
        }
    }

    pub(crate) const fn lifetime(self) -> Duration {
        self.end
    }

    pub(crate) const fn renew(self) -> Duration {
        self.renew
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(lifetime: u64, first: u64, latest: u64, last: u64) {
        let millis = Duration::from_millis;
        let early = Schedule::new(millis(lifetime), 1.0 - f64::EPSILON);
        let late = Schedule::new(millis(lifetime), 0.0);
        assert!(early.renew >= millis(first) && early.renew - millis(first) < millis(1), "{early:?}");
        assert_eq!(late.renew, millis(latest));
        for schedule in [early, late] {
            assert_eq!((schedule.last, schedule.end), (millis(last), millis(lifetime)));
        }
    }

    #[test]
    fn the_lifetime_decides_when_a_token_is_renewed() {
        check(3_600_000, 3_000_000, 3_300_000, 3_590_000);
        check(300_000, 240_000, 270_000, 290_000);
        check(2_000, 1_600, 1_800, 1_900);
        check(86_400_000, 85_800_000, 86_100_000, 86_390_000);
    }

    #[test]
    fn token_without_lifetime_is_expired() {
        assert_eq!(Schedule::new(Duration::ZERO, 0.5).phase(Duration::ZERO), Phase::Ended);
    }

    proptest! {
        #[test]
        fn phases_follow_in_order(lifetime in 1_u64..400_000_000, chance in 0.0_f64..1.0) {
            let schedule = Schedule::new(Duration::from_millis(lifetime), chance);
            prop_assert!(schedule.renew >= Duration::from_millis(lifetime) * 4 / 5 - Duration::from_nanos(1));
            prop_assert!(schedule.renew <= schedule.last && schedule.last < schedule.end);
            prop_assert_eq!(schedule.phase(Duration::ZERO), Phase::Fresh);
            prop_assert_eq!(schedule.phase(schedule.renew), if schedule.renew == schedule.last { Phase::Last } else { Phase::Due });
            prop_assert_eq!(schedule.phase(schedule.last), Phase::Last);
            prop_assert_eq!(schedule.phase(schedule.end), Phase::Ended);
        }
    }
}
