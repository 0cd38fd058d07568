//! Failed authentications per tenant and source, over all client identifiers, known or not; who has too many waits behind others.
//!
//! Nobody is locked out: an attacker behind the same address as a service must not be able to stop that service.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{Lifetime, Timestamp};
use tenancy::TenantId;

use crate::{Lane, Source};

/// How many pairs of tenant and source are counted in one span. Those beyond are not: who has so many sources gains nothing by it
/// that he did not have, and the memory has an end.
const SOURCES: usize = 100_000;

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

/// The failures of the running span.
pub(crate) struct FailedAttempts {
    limit: FailedAttemptsLimit,
    counts: Mutex<Counts>,
}

/// One attempt to authenticate. Unless it is forgiven it counts as failed, also when it is given up half way: else who hangs up
/// before the answer would never be counted.
pub(crate) struct Attempt<'a> {
    attempts: &'a FailedAttempts,
    tenant: &'a TenantId,
    source: &'a Source,
    span: u64,
    is_forgiven: bool,
}

#[derive(Default)]
struct Counts {
    span: u64,
    failures: HashMap<(TenantId, Source), u64>,
}

impl FailedAttempts {
    pub(crate) fn new(limit: FailedAttemptsLimit) -> Self {
        Self { limit, counts: Mutex::default() }
    }

    pub(crate) fn begin<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a Source,
        now: Timestamp,
    ) -> Attempt<'a> {
        let span = now.seconds() / self.limit.per.seconds().max(1);
        Attempt { attempts: self, tenant, source, span, is_forgiven: false }
    }

    /// The counts, emptied when a new span begins.
    fn counts(&self, span: u64) -> MutexGuard<'_, Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // An attempt may end a little after its span; a clock that was set back must not leave the counts where they are.
        if counts.span != span && counts.span != span.saturating_add(1) {
            *counts = Counts { span, failures: HashMap::new() };
        }
        counts
    }
}

impl Attempt<'_> {
    /// Where the attempt's hashes wait.
    pub(crate) fn lane(&self) -> Lane {
        let counts = self.attempts.counts(self.span);
        let failures = counts.failures.get(&self.key()).copied().unwrap_or_default();
        if failures < self.attempts.limit.count { Lane::Normal } else { Lane::Low }
    }

    /// It succeeded, or it is ours that it did not.
    pub(crate) fn forgive(mut self) {
        self.is_forgiven = true;
    }

    fn key(&self) -> (TenantId, Source) {
        (self.tenant.clone(), *self.source)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_forgiven {
            return;
        }
        let key = self.key();
        let mut counts = self.attempts.counts(self.span);
        let has_room = counts.failures.len() < SOURCES;
        if let Some(failures) = counts.failures.get_mut(&key) {
            *failures = failures.saturating_add(1);
        } else if has_room {
            counts.failures.insert(key, 1);
        }
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

    fn source(number: u32) -> Source {
        Source::new(Some(std::net::Ipv4Addr::from(number).into()))
    }

    fn lane(attempts: &FailedAttempts, id: &str, number: u32, now: u64) -> Lane {
        let (tenant, source) = (tenant(id), source(number));
        let attempt = attempts.begin(&tenant, &source, Timestamp::from_seconds(now));
        let lane = attempt.lane();
        attempt.forgive();
        lane
    }

    fn fail(attempts: &FailedAttempts, id: &str, number: u32, now: u64) {
        drop(attempts.begin(&tenant(id), &source(number), Timestamp::from_seconds(now)));
    }

    #[test]
    fn the_limit_is_per_tenant_and_source_and_span() {
        let attempts = attempts(2);
        fail(&attempts, "acme", 1, 62);
        assert_eq!(lane(&attempts, "acme", 1, 62), Lane::Normal);
        fail(&attempts, "acme", 1, 63);
        for (id, number, now, expected) in [
            ("acme", 1, 111, Lane::Low),
            ("acme", 2, 111, Lane::Normal),
            ("other", 1, 111, Lane::Normal),
            ("acme", 1, 119, Lane::Low),
            ("acme", 1, 120, Lane::Normal),
        ] {
            assert_eq!(lane(&attempts, id, number, now), expected, "{id} {number} {now}");
        }
        fail(&attempts, "acme", 1, 120);
        assert_eq!(lane(&attempts, "acme", 1, 121), Lane::Normal);
    }

    #[test]
    fn a_forgiven_attempt_does_not_count() {
        let attempts = attempts(1);
        for _ in 0..3 {
            assert_eq!(lane(&attempts, "acme", 1, 1), Lane::Normal);
        }
    }

    #[test]
    fn late_ends_count_in_the_running_span_and_a_clock_set_back_begins_anew() {
        let attempts = attempts(2);
        fail(&attempts, "acme", 1, 600);
        fail(&attempts, "acme", 1, 599);
        assert_eq!(lane(&attempts, "acme", 1, 601), Lane::Low);
        assert_eq!(lane(&attempts, "acme", 1, 100), Lane::Normal);
    }

    #[test]
    fn the_memory_has_an_end_and_what_is_in_it_still_counts() {
        let attempts = attempts(2);
        for number in 0..u32::try_from(SOURCES).unwrap() + 10 {
            fail(&attempts, "acme", number, 1);
        }
        fail(&attempts, "acme", 0, 1);
        assert_eq!(attempts.counts(0).failures.len(), SOURCES);
        assert_eq!(lane(&attempts, "acme", 0, 1), Lane::Low);
    }

    #[test]
    fn a_span_of_nothing_and_one_without_end_are_spans() {
        for per in [0, u64::MAX] {
            let limit = FailedAttemptsLimit { count: 1, per: Lifetime::from_seconds(per) };
            let attempts = FailedAttempts::new(limit);
            fail(&attempts, "acme", 1, 7);
            assert_eq!(lane(&attempts, "acme", 1, 7), Lane::Low, "{per}");
        }
    }
}
