//! Usage, which needs `latchkey:audit` of the platform or of the tenant. A client may see its own.

use registry::ClientId;
use tenancy::TenantId;
use values::Timestamp;

use super::load::Needs;
use super::{Administrator, Caller};
use crate::audit::usage::{DAYS_OF_CLIENT, DAYS_OF_TENANT};
use crate::documents::{UsagePeriod, UsageView};
use crate::edit::{Edited, invalid};
use crate::kinds::Permission;
use crate::store::UsageOf;

/// The most clients or tenants in the list of the busiest.
const BUSIEST: u32 = 50;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageQuery {
    /// An instant within the first hour or day. Default: a week of days or a day of hours ago.
    pub since: Option<Timestamp>,
    /// An instant within the last hour or day. Default: now.
    pub until: Option<Timestamp>,
    /// The default is by day.
    pub by: Option<UsagePeriod>,
}

impl Administrator {
    pub async fn usage(&self, caller: &Caller, of: UsageOf<'_>, query: UsageQuery) -> Edited<UsageView> {
        match of {
            UsageOf::Platform => caller.authority.require_everywhere(Permission::Audit)?,
            UsageOf::Tenant(tenant) => {
                self.of(caller, tenant).require(Permission::Audit)?;
                self.load(tenant, &Needs::default()).await?.tenant()?;
            }
            UsageOf::Client(tenant, client) => {
                self.of(caller, tenant).require(Permission::Audit)?;
                self.load(tenant, &Needs::client(client)).await?.client(client)?;
            }
        }
        self.read_usage(of, query, caller.now).await
    }

    /// The usage of the client itself, for its own request. The client has authenticated.
    pub async fn own_usage(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        query: UsageQuery,
        now: Timestamp,
    ) -> Edited<UsageView> {
        self.read_usage(UsageOf::Client(tenant, client), query, now).await
    }

    pub(super) async fn read_usage(
        &self,
        of: UsageOf<'_>,
        query: UsageQuery,
        now: Timestamp,
    ) -> Edited<UsageView> {
        let kept = if matches!(of, UsageOf::Client(..)) { DAYS_OF_CLIENT } else { DAYS_OF_TENANT };
        let (by, (since, until)) = query.span(kept, now)?;
        let days = since / 86_400..=(until - 1) / 86_400;
        let counts = self.store.usage(of, &days).await?;
        let busiest = match of {
            UsageOf::Platform => self.store.busiest(None, &days, BUSIEST).await?,
            UsageOf::Tenant(tenant) => self.store.busiest(Some(tenant), &days, BUSIEST).await?,
            UsageOf::Client(..) => Vec::new(),
        };
        Ok(UsageView::new(since, until, by, &counts, busiest))
    }
}

impl UsageQuery {
    /// The whole periods of the span. The span has at most `kept` days: the store keeps no more.
    fn span(self, kept: u64, now: Timestamp) -> Edited<(UsagePeriod, (u64, u64))> {
        let by = self.by.unwrap_or(UsagePeriod::Day);
        let (length, usual, most) = match by {
            UsagePeriod::Hour => (by.seconds(), 24, DAYS_OF_CLIENT * 24),
            UsagePeriod::Day => (by.seconds(), 7, kept),
        };
        let end = |at: Timestamp| at.seconds().div_ceil(length).max(1) * length;
        let until = self.until.map_or_else(|| (now.seconds() / length + 1) * length, end);
        let since = match self.since {
            Some(since) => since.seconds() / length * length,
            None => until.saturating_sub(usual * length),
        };
        if since >= until {
            return Err(invalid("/until", "must be later than since"));
        }
        if (until - since) / length > most {
            let detail = format!("must be at most {most} {}s before until", by.as_str());
            return Err(invalid("/since", detail));
        }
        Ok((by, (since, until)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(since: Option<u64>, until: Option<u64>, by: UsagePeriod, expected: Result<(u64, u64), &str>) {
        let [since, until] = [since, until].map(|at| at.map(Timestamp::from_seconds));
        let query = UsageQuery { since, until, by: Some(by) };
        let span = query.span(35, Timestamp::from_seconds(100 * 86_400 + 5)).map(|(_, span)| span);
        assert_eq!(span.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn span_has_whole_periods_and_a_maximum() {
        use UsagePeriod::{Day, Hour};
        let day = |number: u64| number * 86_400;
        check(None, None, Day, Ok((day(94), day(101))));
        check(None, None, Hour, Ok((day(99) + 3_600, day(100) + 3_600)));
        check(Some(day(99) + 7), Some(day(100)), Day, Ok((day(99), day(100))));
        check(Some(day(100)), Some(day(100) + 1), Day, Ok((day(100), day(101))));
        check(Some(day(101)), None, Day, Err("/until: must be later than since"));
        check(Some(0), Some(0), Hour, Ok((0, 3_600)));
        check(Some(day(65)), None, Day, Err("/since: must be at most 35 days before until"));
        check(Some(day(1)), None, Hour, Err("/since: must be at most 840 hours before until"));
    }
}
