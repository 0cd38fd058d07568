//! How many writes administrators may ask for in a while: those of one tenant share a budget, those of the platform have another.
//! Counted in memory, by each replica for itself, so that one tenant's administrators cannot keep everybody else's commits waiting.
//! Whatever is admitted counts, also what is then refused or only repeats an answer: it costs the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use protocol::{Lifetime, Timestamp};
use tenancy::TenantId;

/// So many budgets are counted before those of spans that are over are forgotten.
const SWEEP_AT: usize = 1024;

/// How many writes in each span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteLimit {
    /// So many.
    pub count: u64,
    /// In each span of this length.
    pub per: Lifetime,
}

/// What administrators may ask for.
#[derive(Debug)]
pub struct WriteBudget {
    tenant: WriteLimit,
    platform: WriteLimit,
    spent: Mutex<HashMap<TenantId, Spent>>,
}

#[derive(Debug)]
struct Spent {
    /// Since the beginning of time, in spans of the limit's length.
    span: u64,
    writes: u64,
}

impl WriteLimit {
    /// In each minute.
    #[must_use]
    pub const fn per_minute(count: u64) -> Self {
        Self { count, per: Lifetime::from_seconds(60) }
    }

    fn span(&self, now: Timestamp) -> u64 {
        now.seconds() / self.per.seconds().max(1)
    }

    /// Seconds until the next span begins.
    fn rest(&self, now: Timestamp) -> u16 {
        let per = self.per.seconds().max(1);
        u16::try_from(per - now.seconds() % per).unwrap_or(u16::MAX)
    }
}

impl WriteBudget {
    /// For the administrators of each tenant, and for those of the platform.
    #[must_use]
    pub fn new(tenant: WriteLimit, platform: WriteLimit) -> Self {
        Self { tenant, platform, spent: Mutex::default() }
    }

    /// Counts a write by an administrator of this tenant.
    ///
    /// # Errors
    /// The seconds after which there is something to spend again.
    pub(crate) fn spend(&self, home: &TenantId, now: Timestamp) -> Result<(), u16> {
        let limit = if home.as_str() == TenantId::PLATFORM { self.platform } else { self.tenant };
        let span = limit.span(now);
        let mut budgets = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if !budgets.contains_key(home) {
            if budgets.len() >= SWEEP_AT {
                let (tenant, platform) = (self.tenant.span(now), self.platform.span(now));
                budgets.retain(|_, spent| spent.span == tenant || spent.span == platform);
            }
            budgets.insert(home.clone(), Spent { span, writes: 0 });
        }
        let Some(spent) = budgets.get_mut(home) else { return Ok(()) };
        if spent.span != span {
            *spent = Spent { span, writes: 0 };
        }
        if spent.writes >= limit.count {
            return Err(limit.rest(now));
        }
        spent.writes += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    #[test]
    fn each_tenant_and_the_platform_have_a_budget_of_their_own_in_each_span() {
        let budget = WriteBudget::new(WriteLimit::per_minute(2), WriteLimit::per_minute(3));
        for (id, now, expected) in [
            ("acme", 60, Ok(())),
            ("acme", 61, Ok(())),
            ("acme", 62, Err(58)),
            ("globex", 62, Ok(())),
            ("platform", 62, Ok(())),
            ("platform", 62, Ok(())),
            ("platform", 62, Ok(())),
            ("platform", 119, Err(1)),
            ("acme", 119, Err(1)),
            ("acme", 120, Ok(())),
            ("platform", 121, Ok(())),
        ] {
            assert_eq!(budget.spend(&tenant(id), Timestamp::from_seconds(now)), expected, "{id} at {now}");
        }
    }

    #[test]
    fn budgets_of_spans_that_are_over_take_no_memory() {
        let budget = WriteBudget::new(WriteLimit::per_minute(1), WriteLimit::per_minute(1));
        for minute in 0..5 {
            for nth in 0..SWEEP_AT {
                let id = tenant(&format!("t-{minute}-{nth}"));
                assert!(budget.spend(&id, Timestamp::from_seconds(minute * 60)).is_ok());
            }
        }
        assert!(budget.spent.lock().unwrap().len() <= 2 * SWEEP_AT);
    }
}
