//! Failed authentications per tenant and source, over all client identifiers, known or not; who has too many waits behind others.
//!
//! Nobody is locked out: an attacker behind the same address as a service must not be able to stop that service.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::future::Cache;
use protocol::{Lifetime, Timestamp};
use tenancy::TenantId;

use crate::{Lane, Source};

/// How many pairs of tenant and source are remembered. Beyond it the least used are forgotten.
const SOURCES: u64 = 100_000;

/// How many failures in a span leave a source in the normal lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedAttemptsLimit {
    /// So many.
    pub count: u64,
    /// In each span of this length.
    pub per: Lifetime,
}

impl Default for FailedAttemptsLimit {
    fn default() -> Self {
        Self { count: 10_000, per: Lifetime::from_seconds(60) }
    }
}

/// The counts.
pub(crate) struct FailedAttempts {
    limit: FailedAttemptsLimit,
    counts: Cache<(TenantId, Source), Arc<Count>>,
}

/// One attempt to authenticate, from its first costly step on. Given up half way it counts as failed: else who hangs up before
/// the answer would never be counted.
pub(crate) struct Attempt<'a> {
    attempts: &'a FailedAttempts,
    tenant: &'a TenantId,
    source: &'a Source,
    span: u64,
    pending: Option<Arc<Count>>,
}

/// Which span was counted last, and its failures.
#[derive(Default)]
struct Count(Mutex<(u64, u64)>);

impl FailedAttempts {
    pub(crate) fn new(limit: FailedAttemptsLimit) -> Self {
        // Whoever was idle for a whole span has no failures in the running one; a year is as good as for ever.
        let idle = Duration::from_secs(limit.per.seconds().clamp(1, 31_536_000));
        Self { limit, counts: Cache::builder().max_capacity(SOURCES).time_to_idle(idle).build() }
    }

    /// Begins an attempt; nothing is looked up until something is due.
    pub(crate) fn begin<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a Source,
        now: Timestamp,
    ) -> Attempt<'a> {
        let span = now.seconds() / self.limit.per.seconds().max(1);
        Attempt { attempts: self, tenant, source, span, pending: None }
    }
}

impl Attempt<'_> {
    /// Where the attempt's hashes wait. From here on it is pending.
    pub(crate) async fn lane(&mut self) -> Lane {
        let (limit, span) = (self.attempts.limit.count, self.span);
        if self.count().await.failures(span) < limit { Lane::Normal } else { Lane::Low }
    }

    /// It failed.
    pub(crate) async fn failed(mut self) {
        self.count().await;
    }

    /// It succeeded, or it is ours that it did not.
    pub(crate) fn forgiven(mut self) {
        self.pending = None;
    }

    async fn count(&mut self) -> &Count {
        if self.pending.is_none() {
            let key = (self.tenant.clone(), *self.source);
            self.pending = Some(self.attempts.counts.get_with(key, async { Arc::default() }).await);
        }
        self.pending.as_ref().expect("it was just put there")
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(count) = &self.pending {
            count.add(self.span);
        }
    }
}

impl Count {
    fn failures(&self, span: u64) -> u64 {
        let (counted, failures) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted == span { failures } else { 0 }
    }

    fn add(&self, span: u64) {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (counted, failures) = *count;
        *count = if counted == span { (span, failures.saturating_add(1)) } else { (span, 1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(count: u64) -> FailedAttempts {
        FailedAttempts::new(FailedAttemptsLimit { count, per: Lifetime::from_seconds(60) })
    }

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn source(last: u8) -> Source {
        Source::of(std::net::IpAddr::from([192, 0, 2, last]))
    }

    async fn lane(attempts: &FailedAttempts, id: &str, last: u8, now: u64) -> Lane {
        let (tenant, source) = (tenant(id), source(last));
        let mut attempt = attempts.begin(&tenant, &source, Timestamp::from_seconds(now));
        let lane = attempt.lane().await;
        attempt.forgiven();
        lane
    }

    async fn fail(attempts: &FailedAttempts, id: &str, last: u8, now: u64) {
        attempts.begin(&tenant(id), &source(last), Timestamp::from_seconds(now)).failed().await;
    }

    #[tokio::test]
    async fn the_limit_is_per_tenant_and_source_and_span() {
        let attempts = attempts(2);
        fail(&attempts, "acme", 1, 100).await;
        assert_eq!(lane(&attempts, "acme", 1, 101).await, Lane::Normal);
        fail(&attempts, "acme", 1, 110).await;
        for (id, last, now, expected) in [
            ("acme", 1, 111, Lane::Low),
            ("acme", 2, 111, Lane::Normal),
            ("other", 1, 111, Lane::Normal),
            ("acme", 1, 119, Lane::Low),
            ("acme", 1, 120, Lane::Normal),
        ] {
            assert_eq!(lane(&attempts, id, last, now).await, expected, "{id} {last} {now}");
        }
        fail(&attempts, "acme", 1, 120).await;
        assert_eq!(lane(&attempts, "acme", 1, 121).await, Lane::Normal);
    }

    #[tokio::test]
    async fn an_attempt_that_is_given_up_counts_and_a_forgiven_one_does_not() {
        let attempts = attempts(1);
        assert_eq!(lane(&attempts, "acme", 1, 1).await, Lane::Normal);
        assert_eq!(lane(&attempts, "acme", 1, 1).await, Lane::Normal);
        let (tenant, source) = (tenant("acme"), source(1));
        let mut attempt = attempts.begin(&tenant, &source, Timestamp::from_seconds(1));
        attempt.lane().await;
        drop(attempt);
        assert_eq!(lane(&attempts, "acme", 1, 1).await, Lane::Low);
    }

    #[tokio::test]
    async fn an_attempt_counts_once_whatever_it_cost() {
        let attempts = attempts(2);
        let (tenant, source) = (tenant("acme"), source(1));
        let mut attempt = attempts.begin(&tenant, &source, Timestamp::from_seconds(1));
        attempt.lane().await;
        attempt.lane().await;
        attempt.failed().await;
        assert_eq!(lane(&attempts, "acme", 1, 1).await, Lane::Normal);
    }

    #[tokio::test]
    async fn a_span_of_nothing_and_one_without_end_are_spans() {
        for per in [0, u64::MAX] {
            let limit = FailedAttemptsLimit { count: 1, per: Lifetime::from_seconds(per) };
            let attempts = FailedAttempts::new(limit);
            fail(&attempts, "acme", 1, 7).await;
            assert_eq!(lane(&attempts, "acme", 1, 7).await, Lane::Low, "{per}");
        }
    }
}
