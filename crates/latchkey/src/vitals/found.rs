//! What looking at the store comes to: whether callers can be served, and why not. Time is an argument.

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
    pub(super) opens: bool,
}

/// What one look at the store came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Good,
    StoreMissed,
    NotOpened,
}

impl Found {
    /// The store has just answered, and what is sealed in it was opened.
    pub(super) const START: Self = Self { store_missed_since: None, was_warm: false, opens: true };

    /// With what one look more came to.
    pub(super) fn after(self, look: Look, is_warm: bool, now: Instant) -> Self {
        match look {
            Look::Good => Self { store_missed_since: None, was_warm: is_warm, opens: true },
            Look::StoreMissed => Self { store_missed_since: self.store_missed_since.or(Some(now)), ..self },
            Look::NotOpened => Self { store_missed_since: None, was_warm: is_warm, opens: false },
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

    /// The sealing key, tried at the pepper.
    pub(super) fn keys(self) -> State {
        if self.opens {
            State::Good
        } else {
            State::Failed("what is sealed in the store cannot be opened".into())
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
        let word = |state: State| match state {
            State::Good => "good",
            State::Degraded(_) => "degraded",
            State::Failed(_) => "failed",
        };
        assert_eq!((word(found.store(LONGEST, later(at))), word(found.keys())), (store, keys), "{looks:?}");
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
}
