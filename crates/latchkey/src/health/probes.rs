//! Evaluates the checks of the store and of the sealed values: whether requests can be served, and why not.

use gateway::{Check, State};

/// The result of the last check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    store: Store,
    pub(super) opens: Opens,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    Answers,
    /// The caches serve stale values.
    ServedStale,
    Missed,
}

/// Whether sealed values can be unsealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opens {
    Yes,
    /// The service that holds the key does not answer or refuses.
    NotNow,
    No,
}

/// The outcome of one check of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Good,
    StoreMissed,
    SealerMissed,
    NotOpened,
}

impl Found {
    /// At start the store has just answered, and the pepper was unsealed.
    pub(super) const START: Self = Self { store: Store::Answers, opens: Opens::Yes };

    /// The state after one more check. `serves_stale` says whether the caches can serve while the store is unavailable.
    pub(super) fn after(self, look: Look, serves_stale: bool) -> Self {
        let answered = |opens| Self { store: Store::Answers, opens };
        match look {
            Look::Good => answered(Opens::Yes),
            Look::StoreMissed if serves_stale => Self { store: Store::ServedStale, ..self },
            Look::StoreMissed => Self { store: Store::Missed, ..self },
            Look::SealerMissed => answered(Opens::NotNow),
            Look::NotOpened => answered(Opens::No),
        }
    }

    pub(super) fn is_store_missed(self) -> bool {
        self.store != Store::Answers
    }

    pub(super) fn store(self) -> State {
        match self.store {
            Store::Answers => State::Good,
            Store::ServedStale => {
                State::Degraded("the store does not answer; cached clients are served".into())
            }
            Store::Missed => State::Failed(
                "the store does not answer, and nothing is cached that may be served stale".into(),
            ),
        }
    }

    /// The state of the sealing key, checked with the pepper, and of tenants whose keys could not be unsealed. Such tenants fail alone.
    pub(super) fn keys(self, unopened: usize) -> State {
        match (self.opens, unopened) {
            (Opens::No, _) => State::Failed("what is sealed in the store cannot be opened".into()),
            (Opens::NotNow, _) => State::Degraded(
                "the service that holds the sealing key fails; tenants whose keys are open are served".into(),
            ),
            (Opens::Yes, 0) => State::Good,
            (Opens::Yes, count) => State::Degraded(
                format!(
                    "tenants whose keys cannot be opened: {count}; the log names them, all others are served"
                )
                .into(),
            ),
        }
    }
}

/// Whether the applied settings leave tenants out.
pub(super) fn settings(left_out: usize) -> Option<Check> {
    let why = || {
        let why = "tenants left out because of a conflict";
        format!("{why}: {left_out}; the log names them, all others are applied").into()
    };
    (left_out > 0).then(|| Check { part: "settings", state: State::Degraded(why()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(looks: &[(Look, bool)], store: &str, keys: &str) {
        let found =
            looks.iter().fold(Found::START, |found, &(look, serves_stale)| found.after(look, serves_stale));
        assert_eq!((word(&found.store()), word(&found.keys(0))), (store, keys), "{looks:?}");
        assert_eq!(found.is_store_missed(), store != "good");
    }

    fn word(state: &State) -> &'static str {
        match state {
            State::Good => "good",
            State::Degraded(_) => "degraded",
            State::Failed(_) => "failed",
        }
    }

    #[test]
    fn an_unavailable_store_degrades_a_replica_that_serves_stale_and_fails_any_other() {
        let (good, missed) = (Look::Good, Look::StoreMissed);
        check(&[(good, false)], "good", "good");
        check(&[(good, false), (missed, true)], "degraded", "good");
        check(&[(good, false), (missed, false)], "failed", "good");
        // Cached values become too old to be served.
        check(&[(missed, true), (missed, true), (missed, false)], "failed", "good");
        check(&[(missed, true), (missed, false), (good, false)], "good", "good");
    }

    #[test]
    fn what_cannot_be_opened_fails_the_keys() {
        check(&[(Look::NotOpened, false)], "good", "failed");
        check(&[(Look::NotOpened, false), (Look::StoreMissed, true)], "degraded", "failed");
        check(&[(Look::NotOpened, false), (Look::Good, false)], "good", "good");
    }

    #[test]
    fn a_sealing_service_that_does_not_answer_degrades_them() {
        check(&[(Look::SealerMissed, false)], "good", "degraded");
        check(&[(Look::SealerMissed, false), (Look::Good, false)], "good", "good");
        check(&[(Look::StoreMissed, true), (Look::SealerMissed, false)], "good", "degraded");
    }

    #[test]
    fn a_tenant_whose_keys_do_not_open_degrades_them_and_is_counted() {
        let State::Degraded(why) = Found::START.keys(3) else { panic!("degraded") };
        assert_eq!(why, "tenants whose keys cannot be opened: 3; the log names them, all others are served");
        let lost = Found { opens: Opens::No, ..Found::START };
        assert_eq!(word(&lost.keys(3)), "failed");
    }
    #[test]
    fn tenants_that_are_left_out_degrade_the_settings_and_are_counted() {
        assert_eq!(settings(0), None);
        let Some(Check { part: "settings", state: State::Degraded(why) }) = settings(3) else {
            panic!("degraded")
        };
        assert_eq!(
            why,
            "tenants left out because of a conflict: 3; the log names them, all others are applied"
        );
    }
}
