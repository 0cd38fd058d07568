//! Limits the writes of administrators per time window. The administrators of a tenant share a budget; those
//! of the platform have another. A person has a small budget for the own account, because each write is a
//! transaction with an audit record, which is kept forever. Every admitted write counts, even if it is
//! refused later or repeats an earlier one, because it costs the same.

use std::collections::HashMap;

use accounts::AccountId;
use parking_lot::Mutex;
use secrets::{LeakyBuckets, SharedCounts};
use tenancy::TenantId;
use values::{Lifetime, Rate, Timestamp};

/// Beyond this number of budgets, those of past windows are removed.
const SWEEP_AT: usize = 1024;

/// Maximum writes of a person to the own account per hour.
const OF_PERSON: u32 = 60;
const HOUR: Lifetime = Lifetime::from_seconds(3_600);

pub struct WriteBudget {
    tenant: Rate,
    platform: Rate,
    people: LeakyBuckets,
    spent: Mutex<HashMap<TenantId, Spent>>,
    shared: SharedCounts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BudgetSpent {
    /// Seconds until further writes are admitted.
    pub(crate) wait: u16,
    /// The limit, for the message.
    pub(crate) limit: &'static str,
}

#[derive(Debug)]
struct Spent {
    /// The end of the time window.
    until: Timestamp,
    writes: u32,
}

impl WriteBudget {
    /// `tenant` applies to each tenant without its own limit, `platform` to the administrators of
    /// the platform.
    #[must_use]
    pub fn new(tenant: Rate, platform: Rate) -> Self {
        let (people, shared) = (LeakyBuckets::new(OF_PERSON, HOUR), SharedCounts::default());
        Self { tenant, platform, people, spent: Mutex::default(), shared }
    }

    /// Also counts the writes at other replicas.
    #[must_use]
    pub fn shared(self, counts: &SharedCounts) -> Self {
        let people = self.people.shared(counts.limit("writes", "person"));
        Self { people, shared: counts.limit("writes", "tenant"), ..self }
    }

    /// Counts a write by the person with this account.
    ///
    /// # Errors [`BudgetSpent`] if the limit is reached.
    pub(crate) fn spend_of_person(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<(), BudgetSpent> {
        let admitted = self.people.begin(tenant, account, now);
        // The write is never subtracted again.
        admitted.map(drop).ok_or(BudgetSpent { wait: 60, limit: "60 changes to an account per hour" })
    }

    /// Counts a write by an administrator of this tenant.
    ///
    /// # Errors [`BudgetSpent`] if the limit is reached.
    pub(crate) fn spend(
        &self,
        home: &TenantId,
        limit: Option<Rate>,
        now: Timestamp,
    ) -> Result<(), BudgetSpent> {
        let (rate, limit) = match limit {
            _ if home.as_str() == TenantId::PLATFORM => (self.platform, "limits.platform_writes"),
            Some(own) => (own, "limits.admin_writes of the tenant"),
            None => (self.tenant, "limits.admin_writes"),
        };
        let rest = rate.rest(now);
        let until = now + rest;
        let mut budgets = self.spent.lock();
        if budgets.len() >= SWEEP_AT && !budgets.contains_key(home) {
            budgets.retain(|_, spent| spent.until > now);
        }
        let spent = budgets.entry(home.clone()).or_insert(Spent { until, writes: 0 });
        if spent.until != until {
            *spent = Spent { until, writes: 0 };
        }
        let span = (rate.count.into(), until);
        if spent.writes >= rate.count || self.shared.is_reached(home, (), span, now) {
            return Err(BudgetSpent { wait: u16::try_from(rest.seconds()).unwrap_or(u16::MAX), limit });
        }
        spent.writes += 1;
        self.shared.add(home, (), (1, None), span, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use testkit::fixtures;

    use super::*;

    fn spend(budget: &WriteBudget, id: &str, own: Option<&str>, now: u64) -> Result<(), (u16, &'static str)> {
        let mut tenant = fixtures::tenant(id);
        tenant.limits.admin_writes = own.map(|own| own.parse().unwrap());
        let spent = budget.spend(&tenant.id, tenant.limits.admin_writes, Timestamp::from_seconds(now));
        spent.map_err(|BudgetSpent { wait, limit }| (wait, limit))
    }

    // [limits #26]
    #[test]
    fn tenants_and_platform_have_separate_budgets() {
        let budget = WriteBudget::new(Rate::per_minute(2), Rate::per_minute(3));
        let (tenant, platform) = ("limits.admin_writes", "limits.platform_writes");
        for (id, now, expected) in [
            ("acme", 60, Ok(())),
            ("acme", 61, Ok(())),
            ("acme", 62, Err((58, tenant))),
            ("globex", 62, Ok(())),
            ("platform", 62, Ok(())),
            ("platform", 62, Ok(())),
            ("platform", 62, Ok(())),
            ("platform", 119, Err((1, platform))),
            ("acme", 119, Err((1, tenant))),
            ("acme", 120, Ok(())),
            ("platform", 121, Ok(())),
        ] {
            assert_eq!(spend(&budget, id, None, now), expected, "{id} at {now}");
        }
    }

    #[test]
    fn tenant_limit_overrides_platform_limit() {
        let budget = WriteBudget::new(Rate::per_minute(2), Rate::per_minute(2));
        let own = "limits.admin_writes of the tenant";
        for (id, limit, now, expected) in [
            ("strict", Some("1/h"), 60, Ok(())),
            ("strict", Some("1/h"), 121, Err((3479, own))),
            ("generous", Some("3/min"), 60, Ok(())),
            ("generous", Some("3/min"), 60, Ok(())),
            ("generous", Some("3/min"), 60, Ok(())),
            ("generous", Some("3/min"), 60, Err((60, own))),
            ("globex", None, 60, Ok(())),
            ("globex", None, 60, Ok(())),
            ("globex", None, 60, Err((60, "limits.admin_writes"))),
            ("platform", Some("9/min"), 60, Ok(())),
            ("platform", Some("9/min"), 60, Ok(())),
            ("platform", Some("9/min"), 60, Err((60, "limits.platform_writes"))),
        ] {
            assert_eq!(spend(&budget, id, limit, now), expected, "{id} {limit:?} at {now}");
        }
    }

    #[test]
    fn person_may_write_sixty_times_then_once_a_minute() {
        let budget = WriteBudget::new(Rate::per_minute(2), Rate::per_minute(2));
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let ada = AccountId::from_bytes([1; 16]);
        let spend = |tenant, now| budget.spend_of_person(tenant, &ada, Timestamp::from_seconds(now)).is_ok();
        assert!((0..60).all(|_| spend(&acme, 1_000)));
        assert!(!spend(&acme, 1_000) && !spend(&acme, 1_059) && spend(&globex, 1_000));
        assert!(spend(&acme, 1_060) && !spend(&acme, 1_061));
    }

    #[test]
    fn expired_budgets_are_removed_from_memory() {
        let budget = WriteBudget::new(Rate::per_minute(1), Rate::per_minute(1));
        for minute in 0..5 {
            for nth in 0..SWEEP_AT {
                assert!(spend(&budget, &format!("t-{minute}-{nth}"), None, minute * 60).is_ok());
            }
        }
        assert!(budget.spent.lock().len() <= 2 * SWEEP_AT);
    }
}
