//! Counts failed attempts per tenant and source, over all identifiers, known or unknown. A source over the limit gets 429 when it fails
//! again, and its hashes wait behind all others.
//!
//! Nothing is locked: an attacker behind the same address as a service must not be able to stop that service.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::{Lifetime, Timestamp};
use tenancy::TenantId;

use crate::ClientAddress;
use crate::network_aggregation::NetworkAggregation;

/// The number of pairs of tenant and source that are counted in one span, which bounds the memory. An attacker with more sources does not
/// need the uncounted ones.
const SOURCES: usize = 100_000;

/// The number of failures per source and span before the throttle applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedAttemptsLimit {
    /// The number of failures.
    pub count: u64,
    /// The length of a span.
    pub per: Lifetime,
}

impl Default for FailedAttemptsLimit {
    fn default() -> Self {
        Self { count: 10_000, per: Lifetime::from_seconds(60) }
    }
}

/// The failures of the current span.
pub struct FailedAttempts {
    limit: FailedAttemptsLimit,
    /// Whether any source may be over the limit. While none is, attempts skip the counts.
    may_be_over: AtomicBool,
    counts: Mutex<Counts>,
}

/// One attempt to authenticate. It counts as failed unless it is forgiven, also when it is dropped half way: a caller that disconnects
/// before the answer is counted.
#[must_use]
pub struct Attempt<'a> {
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
    /// Creates the counts, all zero.
    #[must_use]
    pub fn new(limit: FailedAttemptsLimit) -> Self {
        Self { limit, may_be_over: AtomicBool::new(limit.count == 0), counts: Mutex::default() }
    }

    /// Starts an attempt.
    pub fn begin<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a ClientAddress,
        now: Timestamp,
    ) -> Attempt<'a> {
        Attempt { attempts: self, tenant, source, now, hashes: 0, is_forgiven: false }
    }

    /// The counts; a new span clears them.
    fn counts(&self, span: u64) -> MutexGuard<'_, Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // An attempt may end shortly after its span; a clock that was set back must not keep the counts.
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
    /// The source of the attempt.
    #[must_use]
    pub fn source(&self) -> &ClientAddress {
        self.source
    }

    /// Whether the source is over the limit in this span.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        if !self.attempts.may_be_over.load(Ordering::Relaxed) {
            return false;
        }
        let counts = self.attempts.counts(self.span());
        let key = (self.tenant.clone(), counts.networks.counted(*self.source));
        counts.failures.get(&key).copied().unwrap_or_default() >= self.attempts.limit.count
    }

    /// Counts a hash of this attempt. A failed attempt counts once for each hash, and at least once.
    pub fn count_hash(&mut self) {
        self.hashes += 1;
    }

    /// Ends an attempt that succeeded, or that failed because of this server.
    pub fn forgive(mut self) {
        self.is_forgiven = true;
    }

    /// Ends a failed attempt. If the source was over the limit before, returns the rest of the span.
    #[must_use]
    pub fn fail(self) -> Option<Lifetime> {
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
