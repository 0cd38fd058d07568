//! Evaluates the checks of the store and of the sealed values: whether requests can be served, and why not.

use std::collections::BTreeSet;

use gateway::{Check, State};
use values::Timestamp;

/// The result of the last check. At start the store has just answered, and the pepper was unsealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    store: Store,
    pub(super) opens: Opens,
    pub(super) access: Access,
    /// Seconds between this machine's clock and the store's.
    apart: u64,
}

/// The seconds by which clocks may differ. A revocation covers this many seconds after the store's time.
const ALLOWED_APART: u64 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Store {
    #[default]
    Answers,
    /// The caches serve stale values.
    ServedStale,
    Missed,
}

/// What requests can do with the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Access {
    #[default]
    Full,
    ReadOnly,
    /// Other work has a connection, and requests have none.
    NoConnection,
}

/// Whether sealed values can be unsealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Opens {
    #[default]
    Yes,
    /// The service that holds the key does not answer or refuses.
    NotNow,
    No,
}

impl Found {
    /// The state after one more check. The check has no result if the store did not answer. `serves_stale` is
    /// whether the caches can serve while the store is unavailable.
    pub(super) fn after(self, opens: Option<Opens>, serves_stale: bool) -> Self {
        match opens {
            Some(opens) => Self { store: Store::Answers, opens, ..self },
            None if serves_stale => Self { store: Store::ServedStale, ..self },
            None => Self { store: Store::Missed, ..self },
        }
    }

    pub(super) fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// What an outage is, for the log and for probes.
    pub(super) fn what_is_missed(self) -> &'static str {
        match self.access {
            Access::NoConnection => "requests get no connection to the store",
            Access::Full | Access::ReadOnly => "the store does not answer",
        }
    }

    /// Adds the times by the clocks of the store and of this machine, if both are known.
    pub(super) fn with_clocks(self, clocks: Option<(Timestamp, Timestamp)>) -> Self {
        let apart = clocks.map_or(self.apart, |(store, own)| store.seconds().abs_diff(own.seconds()));
        Self { apart, ..self }
    }

    pub(super) fn clock_differs(self) -> bool {
        self.apart > ALLOWED_APART
    }

    /// Whether this machine's clock differs from the store's.
    pub(super) fn clock(self) -> Option<Check> {
        let why = format!("the clock of this machine is {} s apart from the store's; use NTP", self.apart);
        self.clock_differs().then(|| Check { part: "clock", state: State::Degraded(why.into()) })
    }

    pub(super) fn is_store_missed(self) -> bool {
        self.store != Store::Answers
    }

    pub(super) fn store(self) -> State {
        match self.store {
            Store::Answers if self.access == Access::ReadOnly => {
                State::Degraded("the store accepts no writes; requests that need none are served".into())
            }
            Store::Answers => State::Good,
            Store::ServedStale => {
                State::Degraded(format!("{}; cached clients are served", self.what_is_missed()).into())
            }
            Store::Missed => State::Failed(
                format!("{}, and nothing is cached that may be served stale", self.what_is_missed()).into(),
            ),
        }
    }

    /// The state of the sealing key, checked with the pepper, and of tenants whose keys could not be
    /// unsealed. Such tenants fail alone.
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
        let why = "tenants left out, with a conflict or an unread secret";
        format!("{why}: {left_out}; the log names them, all others are applied").into()
    };
    (left_out > 0).then(|| Check { part: "settings", state: State::Degraded(why()) })
}

/// Whether secret stores do not give what the settings refer to.
pub(super) fn secret_stores(failing: &BTreeSet<String>) -> Option<Check> {
    let why = || {
        let names = failing.iter().cloned().collect::<Vec<_>>().join(", ");
        format!(
            "secret stores that do not give a secret: {names}; what was applied goes on, and the log says why"
        )
        .into()
    };
    (!failing.is_empty()).then(|| Check { part: "secret_stores", state: State::Degraded(why()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(looks: &[(Option<Opens>, bool)], store: &str, keys: &str) {
        let found = looks
            .iter()
            .fold(Found::default(), |found, &(opens, serves_stale)| found.after(opens, serves_stale));
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
        let (good, missed) = (Some(Opens::Yes), None);
        check(&[(good, false)], "good", "good");
        check(&[(good, false), (missed, true)], "degraded", "good");
        check(&[(good, false), (missed, false)], "failed", "good");
        // Cached values become too old to be served.
        check(&[(missed, true), (missed, true), (missed, false)], "failed", "good");
        check(&[(missed, true), (missed, false), (good, false)], "good", "good");
    }

    #[test]
    fn readiness_says_that_the_store_is_read_only_or_gives_requests_no_connection() {
        let good = Found::default().after(Some(Opens::Yes), true);
        let State::Degraded(why) = good.with_access(Access::ReadOnly).store() else { panic!("degraded") };
        assert_eq!(why, "the store accepts no writes; requests that need none are served");
        for (serves_stale, expected) in [(true, "degraded"), (false, "failed")] {
            let none = good.after(None, serves_stale).with_access(Access::NoConnection);
            assert_eq!(word(&none.store()), expected);
            let (State::Degraded(why) | State::Failed(why)) = none.store() else { panic!("no connection") };
            assert!(why.starts_with("requests get no connection to the store"), "{why}");
        }
        assert_eq!(word(&good.with_access(Access::Full).store()), "good");
    }

    #[test]
    fn what_cannot_be_opened_fails_the_keys() {
        check(&[(Some(Opens::No), false)], "good", "failed");
        check(&[(Some(Opens::No), false), (None, true)], "degraded", "failed");
        check(&[(Some(Opens::No), false), (Some(Opens::Yes), false)], "good", "good");
    }

    #[test]
    fn a_sealing_service_that_does_not_answer_degrades_them() {
        check(&[(Some(Opens::NotNow), false)], "good", "degraded");
        check(&[(Some(Opens::NotNow), false), (Some(Opens::Yes), false)], "good", "good");
        check(&[(None, true), (Some(Opens::NotNow), false)], "good", "degraded");
    }

    #[test]
    fn a_tenant_whose_keys_do_not_open_degrades_them_and_is_counted() {
        let State::Degraded(why) = Found::default().keys(3) else { panic!("degraded") };
        assert_eq!(why, "tenants whose keys cannot be opened: 3; the log names them, all others are served");
        let lost = Found { opens: Opens::No, ..Found::default() };
        assert_eq!(word(&lost.keys(3)), "failed");
    }

    #[test]
    fn a_clock_that_differs_from_the_stores_by_more_than_two_seconds_degrades() {
        let at = Timestamp::from_seconds;
        for (store, own, expected) in
            [(100, 100, true), (100, 102, true), (102, 100, true), (100, 103, false), (103, 100, false)]
        {
            let found = Found::default().with_clocks(Some((at(store), at(own))));
            assert_eq!(found.clock().is_none(), expected, "{store} {own}");
            // The last measurement counts while the store does not answer.
            assert_eq!(found.after(None, true).with_clocks(None).clock().is_none(), expected);
        }
    }

    #[test]
    fn tenants_that_are_left_out_degrade_the_settings_and_are_counted() {
        assert_eq!(settings(0), None);
        let Some(Check { part: "settings", state: State::Degraded(why) }) = settings(3) else {
            panic!("degraded")
        };
        assert_eq!(
            why,
            "tenants left out, with a conflict or an unread secret: 3; the log names them, all others are applied"
        );
    }
}
