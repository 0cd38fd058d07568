//! Evaluates the checks of the store and of the sealed values: whether requests can be served, and why not.

use std::collections::BTreeSet;

use gateway::{HealthCheck, HealthState};
use values::Timestamp;

/// The result of the last check. At the start both are fine: the store has just answered, and the pepper was
/// unsealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProbeResults {
    store: ProbedStore,
    pub(super) opens: Opens,
    pub(super) access: StoreAccess,
    /// The difference between this machine's clock and the store's, in seconds.
    apart: u64,
}

/// How many seconds clocks may differ. A revocation also covers this many seconds after the store's time.
const ALLOWED_APART: u64 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ProbedStore {
    #[default]
    Answers,
    ServedStale,
    Missed,
}

/// Whether requests can use the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum StoreAccess {
    #[default]
    Full,
    ReadOnly,
    /// Other work still has a connection, but requests have none.
    NoConnection,
}

/// Whether sealed values can be unsealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Opens {
    #[default]
    Yes,
    /// The key service does not answer or refuses.
    NotNow,
    No,
}

impl ProbeResults {
    /// The state after one more check. `opens` is `None` if the store did not answer. `serves_stale` says
    /// whether the caches can serve without the store.
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

    /// What is unavailable, for the log and for probes.
    pub(super) fn what_is_missed(self) -> &'static str {
        match self.access {
            StoreAccess::NoConnection => "requests get no connection to the store",
            StoreAccess::Full | StoreAccess::ReadOnly => "the store does not respond",
        }
    }

    /// Adds the times of the store's clock and of this machine's, if both are known.
    pub(super) fn with_clocks(self, clocks: Option<(Timestamp, Timestamp)>) -> Self {
        let apart = clocks.map_or(self.apart, |(store, own)| store.seconds().abs_diff(own.seconds()));
        Self { apart, ..self }
    }

    pub(super) fn clock_differs(self) -> bool {
        self.apart > ALLOWED_APART
    }

    /// Whether this machine's clock differs too much from the store's.
    pub(super) fn clock(self) -> Option<HealthCheck> {
        let why = format!("the clocks of this machine and of the store differ by {} s; use NTP", self.apart);
        self.clock_differs().then(|| HealthCheck { part: "clock", state: HealthState::Degraded(why.into()) })
    }

    pub(super) fn is_store_missed(self) -> bool {
        self.store != ProbedStore::Answers
    }

    pub(super) fn store(self) -> HealthState {
        match self.store {
            ProbedStore::Answers if self.access == StoreAccess::ReadOnly => {
                HealthState::Degraded("the store is read-only; requests that do not write still work".into())
            }
            ProbedStore::Answers => HealthState::Good,
            ProbedStore::ServedStale => {
                HealthState::Degraded(format!("{}; cached clients still work", self.what_is_missed()).into())
            }
            ProbedStore::Missed => {
                HealthState::Failed(format!("{}, and no usable data is cached", self.what_is_missed()).into())
            }
        }
    }

    /// The state of the sealing key, checked with the pepper, and of tenants whose keys could not be
    /// unsealed. Other tenants are not affected by such tenants.
    pub(super) fn keys(self, unopened: usize) -> HealthState {
        match (self.opens, unopened) {
            (Opens::No, _) => HealthState::Failed("sealed values in the store cannot be opened".into()),
            (Opens::NotNow, _) => HealthState::Degraded(
                "the service with the sealing key fails; tenants whose keys are already open still work".into(),
            ),
            (Opens::Yes, 0) => HealthState::Good,
            (Opens::Yes, count) => HealthState::Degraded(
                format!(
                    "number of tenants whose keys cannot be opened: {count}; the log names them, and all other tenants work"
                )
                .into(),
            ),
        }
    }
}

/// Whether the applied settings have conflicts.
pub(super) fn settings(left_out: usize) -> Option<HealthCheck> {
    let why = || {
        let why = "tenants left out because of a conflict or an unreadable secret";
        format!("{why}: {left_out}; the log names them, and all other tenants are applied").into()
    };
    (left_out > 0).then(|| HealthCheck { part: "settings", state: HealthState::Degraded(why()) })
}

/// Whether secrets could not be read from secret stores.
pub(super) fn secret_stores(failing: &BTreeSet<String>) -> Option<HealthCheck> {
    let why = || {
        let names = failing.iter().cloned().collect::<Vec<_>>().join(", ");
        format!(
            "secret stores that fail to provide a secret: {names}; the applied settings stay in effect, and the log has the reason"
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
    fn unavailable_store_degrades_or_fails_a_replica() {
        let (good, missed) = (Some(Opens::Yes), None);
        check(&[(good, false)], "good", "good");
        check(&[(good, false), (missed, true)], "degraded", "good");
        check(&[(good, false), (missed, false)], "failed", "good");
        // Cached rows become too old to be served.
        check(&[(missed, true), (missed, true), (missed, false)], "failed", "good");
        check(&[(missed, true), (missed, false), (good, false)], "good", "good");
    }

    #[test]
    fn read_only_and_unreachable_store_are_distinguished() {
        let good = ProbeResults::default().after(Some(Opens::Yes), true);
        let HealthState::Degraded(why) = good.with_access(StoreAccess::ReadOnly).store() else {
            panic!("degraded")
        };
        assert_eq!(why, "the store is read-only; requests that do not write still work");
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
    fn unopenable_pepper_fails_the_keys_check() {
        check(&[(Some(Opens::No), false)], "good", "failed");
        check(&[(Some(Opens::No), false), (None, true)], "degraded", "failed");
        check(&[(Some(Opens::No), false), (Some(Opens::Yes), false)], "good", "good");
    }

    #[test]
    fn unavailable_sealing_service_degrades_the_keys_check() {
        check(&[(Some(Opens::NotNow), false)], "good", "degraded");
        check(&[(Some(Opens::NotNow), false), (Some(Opens::Yes), false)], "good", "good");
        check(&[(None, true), (Some(Opens::NotNow), false)], "good", "degraded");
    }

    #[test]
    fn tenants_with_unopened_keys_are_counted() {
        let HealthState::Degraded(why) = ProbeResults::default().keys(3) else { panic!("degraded") };
        assert_eq!(
            why,
            "number of tenants whose keys cannot be opened: 3; the log names them, and all other tenants work"
        );
        let lost = ProbeResults { opens: Opens::No, ..ProbeResults::default() };
        assert_eq!(word(&lost.keys(3)), "failed");
    }

    #[test]
    fn clock_difference_above_two_seconds_degrades() {
        let at = Timestamp::from_seconds;
        for (store, own, expected) in
            [(100, 100, true), (100, 102, true), (102, 100, true), (100, 103, false), (103, 100, false)]
        {
            let found = ProbeResults::default().with_clocks(Some((at(store), at(own))));
            assert_eq!(found.clock().is_none(), expected, "{store} {own}");
            // While the store does not answer, the last measurement counts.
            assert_eq!(found.after(None, true).with_clocks(None).clock().is_none(), expected);
        }
    }

    #[test]
    fn left_out_tenants_degrade_the_settings_check() {
        assert_eq!(settings(0), None);
        let Some(HealthCheck { part: "settings", state: HealthState::Degraded(why) }) = settings(3) else {
            panic!("degraded")
        };
        assert_eq!(
            why,
            "tenants left out because of a conflict or an unreadable secret: 3; the log names them, and all other tenants are applied"
        );
    }
}
