//! Counts failed attempts for each tenant and source, over all identifiers, known or unknown. A source over
//! the limit gets 429 at its next failure, and its hashes wait behind all others.
//!
//! Nothing is locked: an attacker with the same address as a service must not be able to stop that service.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tenancy::TenantId;
use values::{Lifetime, Rate, RateUnit, Timestamp};

use crate::{CallerAddress, LimitSpan, SharedCounts, SourceTable};

/// The maximum number of counted pairs of tenant and source in one span, which limits the memory. Above this
/// number, the tenant with the most sources loses the sources with the fewest failures. An attacker with more
/// sources than this does not depend on the uncounted ones.
const SOURCES: usize = 100_000;

pub struct FailedAttempts {
    platform: Rate,
    /// For each unit of a rate: the failures at tenants whose limit has this unit.
    spans: [FailureSpan; RateUnit::ALL.len()],
    shared: SharedCounts,
}

/// The failures in the current second, minute or hour.
#[derive(Default)]
struct FailureSpan {
    /// Whether any source may be over its limit. Otherwise attempts do not look at the counts.
    may_be_over: AtomicBool,
    counts: Mutex<Counts>,
}

/// One authentication attempt. It counts as failed unless it is forgiven, even if it is dropped early, so a
/// caller that disconnects before the answer is counted too.
#[must_use]
pub struct AuthenticationAttempt<'a> {
    failures: &'a FailureSpan,
    shared: &'a SharedCounts,
    limit: Rate,
    pub tenant: &'a TenantId,
    pub source: &'a CallerAddress,
    now: Timestamp,
    hashes: u64,
    is_forgiven: bool,
}

struct Counts {
    span: u64,
    failures: SourceTable<u64>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { span: 0, failures: SourceTable::new(SOURCES) }
    }
}

impl FailedAttempts {
    /// `platform` is the limit for tenants without their own limit.
    #[must_use]
    pub fn new(platform: Rate) -> Self {
        Self { platform, spans: Default::default(), shared: SharedCounts::default() }
    }

    /// Also counts the failures at other replicas.
    #[must_use]
    pub fn shared(self, shared: SharedCounts) -> Self {
        Self { shared, ..self }
    }

    /// Starts an attempt at a tenant. `own` is the tenant's own limit.
    pub fn begin<'a>(
        &'a self,
        tenant: &'a TenantId,
        own: Option<Rate>,
        source: &'a CallerAddress,
        now: Timestamp,
    ) -> AuthenticationAttempt<'a> {
        let limit = own.unwrap_or(self.platform);
        let failures = &self.spans[limit.unit as usize];
        let shared = &self.shared;
        AuthenticationAttempt { failures, shared, limit, tenant, source, now, hashes: 0, is_forgiven: false }
    }
}

impl FailureSpan {
    /// The counts of this span. A new span clears them.
    fn counts(&self, span: u64) -> MutexGuard<'_, Counts> {
        let mut counts = self.counts.lock();
        // An attempt may end shortly after its span. But counts must not stay if the clock was set back.
        if counts.span != span && counts.span != span.saturating_add(1) {
            *counts = Counts { span, ..Counts::default() };
            self.may_be_over.store(false, Ordering::Relaxed);
        }
        counts
    }
}

impl AuthenticationAttempt<'_> {
    /// Whether the source is over the limit in this span.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        self.is_over_limit_here()
            || self.shared.may_be_reached(self.now) && {
                let source = self.counts().failures.counted(self.source);
                self.shared.is_reached(self.tenant, source, self.limit_span(), self.now)
            }
    }

    fn is_over_limit_here(&self) -> bool {
        if !self.failures.may_be_over.load(Ordering::Relaxed) {
            return false;
        }
        self.counts()
            .failures
            .get_mut(self.tenant, self.source)
            .is_some_and(|failures| *failures >= self.limit.count.into())
    }

    fn limit_span(&self) -> LimitSpan {
        (self.limit.count.into(), self.now + self.limit.rest(self.now))
    }

    /// Counts a hash of this attempt. A failed attempt counts once for each hash, and at least once.
    pub fn count_hash(&mut self) {
        self.hashes += 1;
    }

    /// Ends an attempt that succeeded, or that failed because of this server, without counting it.
    pub fn forgive(mut self) {
        self.is_forgiven = true;
    }

    /// Ends a failed attempt. If the source was already over the limit, returns the remaining time of the
    /// span.
    #[must_use]
    pub fn fail(self) -> Option<Lifetime> {
        self.is_over_limit().then(|| self.limit.rest(self.now))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.failures.counts(self.limit.span(self.now))
    }
}

impl Drop for AuthenticationAttempt<'_> {
    fn drop(&mut self) {
        if self.is_forgiven {
            return;
        }
        let (hashes, mut counts) = (self.hashes.max(1), self.counts());
        let failures = counts.failures.entry(self.tenant, self.source, |failures| *failures);
        *failures = failures.saturating_add(hashes);
        if *failures >= self.limit.count.into() {
            self.failures.may_be_over.store(true, Ordering::Relaxed);
        }
        let source = counts.failures.counted(self.source);
        drop(counts);
        self.shared.add(self.tenant, source, (hashes, None), self.limit_span(), self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(count: u32) -> FailedAttempts {
        FailedAttempts::new(Rate::per_minute(count))
    }

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn source(number: u32) -> CallerAddress {
        CallerAddress::new(Some(std::net::Ipv4Addr::from(number).into()))
    }

    fn is_over(attempts: &FailedAttempts, id: &str, number: u32, now: u64) -> bool {
        is_over_of(attempts, id, source(number), now)
    }

    fn is_over_of(attempts: &FailedAttempts, id: &str, source: CallerAddress, now: u64) -> bool {
        let tenant = tenant(id);
        let attempt = attempts.begin(&tenant, None, &source, Timestamp::from_seconds(now));
        let is_over = attempt.is_over_limit();
        attempt.forgive();
        is_over
    }

    fn fail(attempts: &FailedAttempts, id: &str, number: u32, now: u64) {
        drop(attempts.begin(&tenant(id), None, &source(number), Timestamp::from_seconds(now)));
    }

    // [oauth RFC 6749 §2.3.1 g]
    #[test]
    fn limit_is_per_tenant_source_and_period() {
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

    // [found 24]: A Basic header with two readings cost two hashes and counted as one failure | fixed |
    //   Failures are counted by hash
    #[test]
    fn each_hash_of_an_attempt_counts_as_failure() {
        for (hashes, failures) in [(0, 1), (1, 1), (2, 2)] {
            let attempts = attempts(100);
            let (tenant, source) = (tenant("acme"), source(1));
            let mut attempt = attempts.begin(&tenant, None, &source, Timestamp::from_seconds(1));
            (0..hashes).for_each(|_| attempt.count_hash());
            drop(attempt);
            let mut counts = attempts.spans[RateUnit::Minute as usize].counts(0);
            assert_eq!(counts.failures.get_mut(&tenant, &source).copied(), Some(failures), "{hashes}");
        }
    }

    #[test]
    fn retry_after_is_the_rest_of_the_period() {
        let attempts = attempts(2);
        let (tenant, source) = (tenant("acme"), source(1));
        let retry_after = |now| attempts.begin(&tenant, None, &source, Timestamp::from_seconds(now)).fail();
        let seconds = |seconds| Some(Lifetime::from_seconds(seconds));
        let beyond = [(62, seconds(58)), (119, seconds(1))];
        let within = [120, 121, 180].map(|now| (now, None));
        for (now, expected) in [(60, None), (61, None)].into_iter().chain(beyond).chain(within) {
            assert_eq!(retry_after(now), expected, "{now}");
        }
    }

    // [limits #22]: sources of one IPv6 /48 | 16 /64s, then one |
    #[test]
    fn sites_with_over_sixteen_networks_share_one_limit() {
        let attempts = attempts(2);
        let network = |number| {
            CallerAddress::new(Some(std::net::Ipv6Addr::new(0x2001, 0xdb8, 7, number, 0, 0, 0, 1).into()))
        };
        let fail = |number| {
            drop(attempts.begin(&tenant("acme"), None, &network(number), Timestamp::from_seconds(1)));
        };
        let is_over = |number| is_over_of(&attempts, "acme", network(number), 1);
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
    fn late_failures_count_but_a_clock_reset_clears_them() {
        let attempts = attempts(2);
        fail(&attempts, "acme", 1, 600);
        fail(&attempts, "acme", 1, 599);
        assert!(is_over(&attempts, "acme", 1, 601));
        assert!(!is_over(&attempts, "acme", 1, 100));
    }

    // [limits #34]: memory for sources that failed | 100 000 pairs of tenant and source | further ones are
    //   not counted until the period ends; those in it still count
    #[test]
    fn memory_is_bounded_and_kept_sources_still_count() {
        let attempts = attempts(2);
        fail(&attempts, "globex", 0, 1);
        for number in 0..u32::try_from(SOURCES).unwrap() + 10 {
            fail(&attempts, "acme", number, 1);
            if number == 0 {
                fail(&attempts, "acme", number, 1);
            }
        }
        let counted = attempts.spans[RateUnit::Minute as usize].counts(0).failures.len();
        assert!((SOURCES / 2..=SOURCES).contains(&counted), "{counted}");
        assert!(is_over(&attempts, "acme", 0, 1), "who failed most is kept");
        fail(&attempts, "globex", 0, 1);
        assert!(is_over(&attempts, "globex", 0, 1), "another tenant's source is kept");
    }

    #[test]
    fn tenant_limit_overrides_platform_limit() {
        let attempts = attempts(2);
        let source = source(1);
        let fail = |id: &str, own: Option<&str>, now| {
            let own = own.map(|own| own.parse().unwrap());
            attempts.begin(&tenant(id), own, &source, Timestamp::from_seconds(now)).fail()
        };
        for (id, own, now, expected) in [
            ("strict", Some("1/min"), 60, None),
            ("strict", Some("1/min"), 61, Some(59)),
            ("generous", Some("3/min"), 61, None),
            ("generous", Some("3/min"), 61, None),
            ("generous", Some("3/min"), 61, None),
            ("generous", Some("3/min"), 61, Some(59)),
            ("hourly", Some("1/h"), 61, None),
            ("hourly", Some("1/h"), 61, Some(3539)),
            ("other", None, 61, None),
            ("other", None, 61, None),
            ("other", None, 61, Some(59)),
            // A new minute clears only the counts of limits per minute.
            ("strict", Some("1/min"), 120, None),
            ("hourly", Some("1/h"), 120, Some(3480)),
            // Without its own limit, the tenant has the platform's limit again.
            ("generous", None, 120, None),
            ("generous", None, 120, None),
            ("generous", None, 120, Some(60)),
        ] {
            assert_eq!(fail(id, own, now).map(Lifetime::seconds), expected, "{id} {own:?} at {now}");
        }
    }
}
