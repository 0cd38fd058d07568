//! Failed authentications per tenant and source, over all client identifiers, known or not. A source with too many is told to come
//! later when it fails again, and what it asks for waits behind all others.
//!
//! No one is locked out: an attacker behind the same address as a service must not be able to stop that service.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{Lifetime, Timestamp};
use tenancy::TenantId;

use crate::ClientAddress;
use crate::network_aggregation::NetworkAggregation;

/// How many pairs of tenant and source are counted in one span. Those beyond are not: who has so many sources gains nothing by it
/// that he did not have, and the memory has an end.
const SOURCES: usize = 100_000;

/// How many failures of a source in a span are answered as any other.
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
    /// Whether any source may be over the limit: while none is, no attempt has to look at the counts.
    may_be_over: AtomicBool,
    counts: Mutex<Counts>,
}

/// One attempt to authenticate. Unless it is forgiven it counts as failed, also when it is given up half way: else a caller who hangs
/// up before the answer would never be counted.
pub(crate) struct Attempt<'a> {
    attempts: &'a FailedAttempts,
    tenant: &'a TenantId,
    source: &'a ClientAddress,
    now: Timestamp,
    hashes: u64,
    is_forgiven: bool,
}

#[derive(Default)]
struct Counts {
    span: u64,
    failures: HashMap<(TenantId, ClientAddress), u64>,
    networks: NetworkAggregation,
}

impl FailedAttempts {
    pub(crate) fn new(limit: FailedAttemptsLimit) -> Self {
        Self { limit, may_be_over: AtomicBool::new(limit.count == 0), counts: Mutex::default() }
    }

    pub(crate) fn begin<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a ClientAddress,
        now: Timestamp,
    ) -> Attempt<'a> {
        Attempt { attempts: self, tenant, source, now, hashes: 0, is_forgiven: false }
    }

    /// The counts, emptied when a new span begins.
    fn counts(&self, span: u64) -> MutexGuard<'_, Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // An attempt may end a little after its span; a clock that was set back must not leave the counts where they are.
        if counts.span != span && counts.span != span.saturating_add(1) {
            *counts = Counts { span, ..Counts::default() };
            self.may_be_over.store(self.limit.count == 0, Ordering::Relaxed);
        }
        counts
    }

    fn period(&self) -> u64 {
        self.limit.per.seconds().max(1)
    }
}

impl Attempt<'_> {
    /// Where it comes from.
    pub(crate) fn source(&self) -> &ClientAddress {
        self.source
    }

    /// Whether the source has failed so often in this span that it waits behind all others.
    pub(crate) fn is_over_limit(&self) -> bool {
        if !self.attempts.may_be_over.load(Ordering::Relaxed) {
            return false;
        }
        let counts = self.attempts.counts(self.span());
        let key = (self.tenant.clone(), counts.networks.counted(*self.source));
        counts.failures.get(&key).copied().unwrap_or_default() >= self.attempts.limit.count
    }

    /// Another hash is computed for it. It fails once for each, and once for none.
    pub(crate) fn count_hash(&mut self) {
        self.hashes += 1;
    }

    /// It succeeded, or it is ours that it did not.
    pub(crate) fn forgive(mut self) {
        self.is_forgiven = true;
    }

    /// It failed. Where the source was over the limit before, this is how long the span still lasts.
    pub(crate) fn fail(self) -> Option<Lifetime> {
        let period = self.attempts.period();
        self.is_over_limit().then(|| Lifetime::from_seconds(period - self.now.seconds() % period))
    }

    fn span(&self) -> u64 {
        self.now.seconds() / self.attempts.period()
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_forgiven {
            return;
        }
        let mut counts = self.attempts.counts(self.span());
        let counts = &mut *counts;
        let mut key = (self.tenant.clone(), counts.networks.counted(*self.source));
        if counts.failures.len() < SOURCES && !counts.failures.contains_key(&key) {
            key.1 = counts.networks.enter(key.1);
            counts.failures.entry(key.clone()).or_default();
        }
        if let Some(failures) = counts.failures.get_mut(&key) {
            *failures = failures.saturating_add(self.hashes.max(1));
            if *failures >= self.attempts.limit.count {
                self.attempts.may_be_over.store(true, Ordering::Relaxed);
            }
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

    fn source(number: u32) -> ClientAddress {
        ClientAddress::new(Some(std::net::Ipv4Addr::from(number).into()))
    }

    fn is_over(attempts: &FailedAttempts, id: &str, number: u32, now: u64) -> bool {
        let (tenant, source) = (tenant(id), source(number));
        let attempt = attempts.begin(&tenant, &source, Timestamp::from_seconds(now));
        let is_over = attempt.is_over_limit();
        attempt.forgive();
        is_over
    }

    fn fail(attempts: &FailedAttempts, id: &str, number: u32, now: u64) {
        drop(attempts.begin(&tenant(id), &source(number), Timestamp::from_seconds(now)));
    }

    #[test]
    fn the_limit_is_per_tenant_and_source_and_span() {
        let attempts = attempts(2);
        fail(&attempts, "acme", 1, 62);
        assert!(!is_over(&attempts, "acme", 1, 62));
        fail(&attempts, "acme", 1, 63);
        for (id, number, now, expected) in [
            ("acme", 1, 111, true),
            ("acme", 2, 111, false),
            ("other", 1, 111, false),
            ("acme", 1, 119, true),
            ("acme", 1, 120, false),
        ] {
            assert_eq!(is_over(&attempts, id, number, now), expected, "{id} {number} {now}");
        }
        fail(&attempts, "acme", 1, 120);
        assert!(!is_over(&attempts, "acme", 1, 121));
    }

    #[test]
    fn an_attempt_fails_once_for_each_of_its_hashes() {
        for (hashes, failures) in [(0, 1), (1, 1), (2, 2)] {
            let attempts = attempts(100);
            let (tenant, source) = (tenant("acme"), source(1));
            let mut attempt = attempts.begin(&tenant, &source, Timestamp::from_seconds(1));
            (0..hashes).for_each(|_| attempt.count_hash());
            drop(attempt);
            assert_eq!(attempts.counts(0).failures[&(tenant, source)], failures, "{hashes}");
        }
    }

    #[test]
    fn a_failure_beyond_the_limit_gets_the_rest_of_the_span() {
        let attempts = attempts(2);
        let (tenant, source) = (tenant("acme"), source(1));
        let retry_after = |now| attempts.begin(&tenant, &source, Timestamp::from_seconds(now)).fail();
        let seconds = |seconds| Some(Lifetime::from_seconds(seconds));
        for (now, expected) in [
            (60, None),
            (61, None),
            (62, seconds(58)),
            (119, seconds(1)),
            (120, None),
            (121, None),
            (180, None),
        ] {
            assert_eq!(retry_after(now), expected, "{now}");
        }
        let always = super::FailedAttempts::new(FailedAttemptsLimit { count: 0, ..attempts.limit });
        assert_eq!(always.begin(&tenant, &source, Timestamp::from_seconds(60)).fail(), seconds(60));
    }

    #[test]
    fn more_than_sixteen_networks_of_a_site_have_one_limit() {
        let attempts = attempts(2);
        let network = |number| {
            ClientAddress::new(Some(std::net::Ipv6Addr::new(0x2001, 0xdb8, 7, number, 0, 0, 0, 1).into()))
        };
        let fail =
            |number| drop(attempts.begin(&tenant("acme"), &network(number), Timestamp::from_seconds(1)));
        let is_over = |number| {
            let (tenant, source) = (tenant("acme"), network(number));
            let attempt = attempts.begin(&tenant, &source, Timestamp::from_seconds(1));
            let is_over = attempt.is_over_limit();
            attempt.forgive();
            is_over
        };
        (1..=16).for_each(fail);
        assert!((1..=17).all(|number| !is_over(number)));
        fail(17);
        assert!(!is_over(17));
        fail(18);
        assert!((1..=100).all(is_over));
    }

    #[test]
    fn a_forgiven_attempt_does_not_count() {
        let attempts = attempts(1);
        for _ in 0..3 {
            assert!(!is_over(&attempts, "acme", 1, 1));
        }
    }

    #[test]
    fn late_ends_count_in_the_running_span_and_a_clock_set_back_begins_anew() {
        let attempts = attempts(2);
        fail(&attempts, "acme", 1, 600);
        fail(&attempts, "acme", 1, 599);
        assert!(is_over(&attempts, "acme", 1, 601));
        assert!(!is_over(&attempts, "acme", 1, 100));
    }

    #[test]
    fn the_memory_has_an_end_and_what_is_in_it_still_counts() {
        let attempts = attempts(2);
        for number in 0..u32::try_from(SOURCES).unwrap() + 10 {
            fail(&attempts, "acme", number, 1);
        }
        fail(&attempts, "acme", 0, 1);
        assert_eq!(attempts.counts(0).failures.len(), SOURCES);
        assert!(is_over(&attempts, "acme", 0, 1));
    }

    #[test]
    fn a_span_of_nothing_and_one_without_end_are_spans() {
        for per in [0, u64::MAX] {
            let limit = FailedAttemptsLimit { count: 1, per: Lifetime::from_seconds(per) };
            let attempts = FailedAttempts::new(limit);
            fail(&attempts, "acme", 1, 7);
            assert!(is_over(&attempts, "acme", 1, 7), "{per}");
        }
    }
}
