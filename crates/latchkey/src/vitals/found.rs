//! What looking at the store and at what is sealed in it comes to: whether callers can be served, and why not. Time is an argument.

use std::time::Duration;

use gateway::State;
use tokio::time::Instant;

/// What the last look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Since when the store has not answered as it should.
    pub(super) store_missed_since: Option<Instant>,
    /// Whether there was anything in the caches when it last did.
    was_warm: bool,
    pub(super) opens: Opens,
}

/// Whether what is sealed can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opens {
    Yes,
    /// The service that holds the key does not answer.
    NotNow,
    No,
}

/// What one look at the store came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Good,
    StoreMissed,
    SealerMissed,
    NotOpened,
}

impl Found {
    /// The store has just answered, and what is sealed in it was opened.
    pub(super) const START: Self = Self { store_missed_since: None, was_warm: false, opens: Opens::Yes };

    /// With what one look more came to.
    pub(super) fn after(self, look: Look, is_warm: bool, now: Instant) -> Self {
        let answered = |opens| Self { store_missed_since: None, was_warm: is_warm, opens };
        match look {
            Look::Good => answered(Opens::Yes),
            Look::StoreMissed => Self { store_missed_since: self.store_missed_since.or(Some(now)), ..self },
            Look::SealerMissed => answered(Opens::NotNow),
            Look::NotOpened => answered(Opens::No),
        }
    }

    /// The caches stand in for the store for as long as any tenant allows.
    pub(super) fn store(self, longest_stale: Duration, now: Instant) -> State {
        match self.store_missed_since.map(|since| now.saturating_duration_since(since)) {
            None => State::Good,
            Some(missed) if !self.was_warm || missed >= longest_stale => State::Failed(
                "the store does not answer, and nothing is cached that may stand in for it".into(),
            ),
            Some(_) => State::Degraded("the store does not answer; cached clients are served".into()),
        }
    }

    /// The sealing key, tried at the pepper, and the tenants whose keys were tried and did not open. Those fail alone.
    pub(super) fn keys(self, unopened: usize) -> State {
        match (self.opens, unopened) {
            (Opens::No, _) => State::Failed("what is sealed in the store cannot be opened".into()),
            (Opens::NotNow, _) => State::Degraded(
                "the service that holds the sealing key does not answer; tenants whose keys are open are served".into(),
            ),
            (Opens::Yes, 0) => State::Good,
            (Opens::Yes, count) => {
                State::Degraded(format!("the keys of {count} tenants cannot be opened; all others are served").into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(900);

    #[track_caller]
    fn check(looks: &[(u64, Look, bool)], at: u64, store: &str, keys: &str) {
        let start = Instant::now();
        let later = |seconds| start + Duration::from_secs(seconds);
        let mut found = Found::START;
        for &(seconds, look, is_warm) in looks {
            found = found.after(look, is_warm, later(seconds));
        }
        let found = (word(&found.store(LONGEST, later(at))), word(&found.keys(0)));
        assert_eq!(found, (store, keys), "{looks:?}");
    }

    fn word(state: &State) -> &'static str {
        match state {
            State::Good => "good",
            State::Degraded(_) => "degraded",
            State::Failed(_) => "failed",
        }
    }

    #[test]
    fn a_missed_store_degrades_a_warm_replica_and_fails_a_cold_one() {
        let (good, missed) = (Look::Good, Look::StoreMissed);
        check(&[(0, good, false)], 1, "good", "good");
        check(&[(0, good, true), (1, missed, true)], 2, "degraded", "good");
        check(&[(0, good, false), (1, missed, true)], 2, "failed", "good");
        // The first miss counts, not the last.
        check(&[(0, good, true), (1, missed, true), (500, missed, true)], 900, "degraded", "good");
        check(&[(0, good, true), (1, missed, true), (500, missed, true)], 901, "failed", "good");
        check(&[(0, good, true), (1, missed, true), (901, good, true)], 901, "good", "good");
    }

    #[test]
    fn what_cannot_be_opened_fails_the_keys() {
        check(&[(0, Look::NotOpened, true)], 1, "good", "failed");
        check(&[(0, Look::NotOpened, true), (1, Look::StoreMissed, true)], 1, "degraded", "failed");
        check(&[(0, Look::NotOpened, true), (1, Look::Good, true)], 1, "good", "good");
    }

    #[test]
    fn a_sealing_service_that_does_not_answer_degrades_them() {
        check(&[(0, Look::SealerMissed, true)], 1, "good", "degraded");
        check(&[(0, Look::SealerMissed, true), (1, Look::Good, true)], 1, "good", "good");
        check(&[(0, Look::StoreMissed, true), (1, Look::SealerMissed, true)], 1, "good", "degraded");
    }

    #[test]
    fn a_tenant_whose_keys_do_not_open_degrades_them_and_is_counted() {
        let State::Degraded(why) = Found::START.keys(3) else { panic!("degraded") };
        assert_eq!(why, "the keys of 3 tenants cannot be opened; all others are served");
        let lost = Found { opens: Opens::No, ..Found::START };
        assert_eq!(word(&lost.keys(3)), "failed");
    }
}
