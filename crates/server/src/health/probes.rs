//! Evaluates the checks of the store and of the sealed values: whether requests can be served, and why not.

use std::collections::BTreeSet;

use gateway::{HealthCheck, HealthState};
use values::Timestamp;

/// The result of the last check. At start the store has just answered, and the pepper was unsealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProbeResults {
    store: ProbedStore,
    pub(super) opens: Opens,
    pub(super) access: StoreAccess,
    /// Seconds between this machine's clock and the store's.
    apart: u64,
}

/// The seconds by which clocks may differ. A revocation covers this many seconds after the store's time.
const ALLOWED_APART: u64 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ProbedStore {
    #[default]
    Answers,
    /// The caches serve stale values.
    ServedStale,
    Missed,
}

/// What requests can do with the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum StoreAccess {
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

impl ProbeResults {
    /// The state after one more check. The check has no result if the store did not answer. `serves_stale` is
    /// whether the caches can serve while the store is unavailable.
    pub(super) fn after(self, opens: Option<Opens>, serves_stale: bool) -> Self {
        match opens {
            Some(opens) => Self { store: ProbedStore::Answers, opens, ..self },
            None if serves_stale => Self { store: ProbedStore::ServedStale, ..self },
            None => Self { store: ProbedStore::Missed, ..self },
        }
    }

    pub(super) fn with_access(self, access: StoreAccess) -> Self {
        Self { access, ..self }
    }

    /// What an outage is, for the log and for probes.
    pub(super) fn what_is_missed(self) -> &'static str {
        match self.access {
            StoreAccess::NoConnection => "requests get no connection to the store",
            StoreAccess::Full | StoreAccess::ReadOnly => "the store does not answer",
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
    pub(super) fn clock(self) -> Option<HealthCheck> {
        let why = format!("the clock of this machine is {} s apart from the store's; use NTP", self.apart);
        self.clock_differs().then(|| HealthCheck { part: "clock", state: HealthState::Degraded(why.into()) })
    }

    pub(super) fn is_store_missed(self) -> bool {
        self.store != ProbedStore::Answers
    }

    pub(super) fn store(self) -> HealthState {
        match self.store {
            ProbedStore::Answers if self.access == StoreAccess::ReadOnly => HealthState::Degraded(
                "the store accepts no writes; requests that need none are served".into(),
            ),
            ProbedStore::Answers => HealthState::Good,
            ProbedStore::ServedStale => {
                HealthState::Degraded(format!("{}; cached clients are served", self.what_is_missed()).into())
            }
            ProbedStore::Missed => HealthState::Failed(
                format!("{}, and nothing is cached that may be served stale", self.what_is_missed()).into(),
            ),
        }
    }

    /// The state of the sealing key, checked with the pepper, and of tenants whose keys could not be
    /// unsealed. Such tenants fail alone.
    pub(super) fn keys(self, unopened: usize) -> HealthState {
        match (self.opens, unopened) {
            (Opens::No, _) => HealthState::Failed("what is sealed in the store cannot be opened".into()),
            (Opens::NotNow, _) => HealthState::Degraded(
                "the service that holds the sealing key fails; tenants whose keys are open are served".into(),
            ),
            (Opens::Yes, 0) => HealthState::Good,
            (Opens::Yes, count) => HealthState::Degraded(
                format!(
                    "tenants whose keys cannot be opened: {count}; the log names them, all others are served"
                )
                .into(),
            ),
        }
    }
}

/// Whether the applied settings leave tenants out.
pub(super) fn settings(left_out: usize) -> Option<HealthCheck> {
    let why = || {
        let why = "tenants left out, with a conflict or an unread secret";
        format!("{why}: {left_out}; the log names them, all others are applied").into()
    };
    (left_out > 0).then(|| HealthCheck { part: "settings", state: HealthState::Degraded(why()) })
}

/// Whether secret stores do not give what the settings refer to.
pub(super) fn secret_stores(failing: &BTreeSet<String>) -> Option<HealthCheck> {
    let why = || {
        let names = failing.iter().cloned().collect::<Vec<_>>().join(", ");
        format!(
            "secret stores that do not give a secret: {names}; what was applied goes on, and the log says why"
        )
        .into()
    };
    (!failing.is_empty()).then(|| HealthCheck { part: "secret_stores", state: HealthState::Degraded(why()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(looks: &[(Option<Opens>, bool)], store: &str, keys: &str) {
        let found = looks
            .iter()
            .fold(ProbeResults::default(), |found, &(opens, serves_stale)| found.after(opens, serves_stale));
        assert_eq!((word(&found.store()), word(&found.keys(0))), (store, keys), "{looks:?}");
        assert_eq!(found.is_store_missed(), store != "good");
    }

    fn word(state: &HealthState) -> &'static str {
        match state {
            HealthState::Good => "good",
            HealthState::Degraded(_) => "degraded",
            HealthState::Failed(_) => "failed",
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
        let good = ProbeResults::default().after(Some(Opens::Yes), true);
        let HealthState::Degraded(why) = good.with_access(StoreAccess::ReadOnly).store() else {
            panic!("degraded")
        };
        assert_eq!(why, "the store accepts no writes; requests that need none are served");
        for (serves_stale, expected) in [(true, "degraded"), (false, "failed")] {
            let none = good.after(None, serves_stale).with_access(StoreAccess::NoConnection);
            assert_eq!(word(&none.store()), expected);
            let (HealthState::Degraded(why) | HealthState::Failed(why)) = none.store() else {
                panic!("no connection")
            };
            assert!(why.starts_with("requests get no connection to the store"), "{why}");
        }
        assert_eq!(word(&good.with_access(StoreAccess::Full).store()), "good");
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
        let HealthState::Degraded(why) = ProbeResults::default().keys(3) else { panic!("degraded") };
        assert_eq!(why, "tenants whose keys cannot be opened: 3; the log names them, all others are served");
        let lost = ProbeResults { opens: Opens::No, ..ProbeResults::default() };
        assert_eq!(word(&lost.keys(3)), "failed");
    }

    #[test]
    fn a_clock_that_differs_from_the_stores_by_more_than_two_seconds_degrades() {
        let at = Timestamp::from_seconds;
        for (store, own, expected) in
            [(100, 100, true), (100, 102, true), (102, 100, true), (100, 103, false), (103, 100, false)]
        {
            let found = ProbeResults::default().with_clocks(Some((at(store), at(own))));
            assert_eq!(found.clock().is_none(), expected, "{store} {own}");
            // The last measurement counts while the store does not answer.
            assert_eq!(found.after(None, true).with_clocks(None).clock().is_none(), expected);
        }
    }

    #[test]
    fn tenants_that_are_left_out_degrade_the_settings_and_are_counted() {
        assert_eq!(settings(0), None);
        let Some(HealthCheck { part: "settings", state: HealthState::Degraded(why) }) = settings(3) else {
            panic!("degraded")
        };
        assert_eq!(
            why,
            "tenants left out, with a conflict or an unread secret: 3; the log names them, all others are applied"
        );
    }
}
