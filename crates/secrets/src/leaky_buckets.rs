//! Limits attempts with one leaky bucket for each key of a tenant. A bucket holds `capacity` attempts and
//! drains evenly over the span. So a key may try `capacity` times immediately, and after that once in each
//! `span / capacity`.

use std::hash::{BuildHasher as _, Hash, RandomState};

use parking_lot::Mutex;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::{FairTable, SharedAttempt, SharedCounts};

/// The maximum number of keys that are counted. A server that computes a hundred password hashes a second
/// exceeds it only if hardly any key is tried twice.
const BUCKETS: usize = 65_536;

pub struct LeakyBuckets {
    keys: RandomState,
    /// In milliseconds.
    span: u64,
    capacity: u32,
    /// When each bucket will be empty, in milliseconds since 1970, by a digest of its key.
    empty_at: Mutex<FairTable<u64, u64>>,
    shared: SharedCounts,
}

/// An attempt in a bucket. It counts unless it is forgiven, even if it is dropped early.
#[must_use]
pub struct BucketAttempt<'a> {
    of: &'a LeakyBuckets,
    tenant: TenantId,
    key: u64,
    interval: u64,
    shared: SharedAttempt<'a>,
}

impl LeakyBuckets {
    /// Creates empty buckets for `capacity` attempts in `span`.
    #[must_use]
    pub fn new(capacity: u32, span: Lifetime) -> Self {
        let empty_at = Mutex::new(FairTable::new(BUCKETS));
        let span = span.seconds().saturating_mul(1_000);
        Self { keys: RandomState::new(), span, capacity, empty_at, shared: SharedCounts::default() }
    }

    /// Also counts the attempts at other replicas.
    #[must_use]
    pub fn shared(self, shared: SharedCounts) -> Self {
        Self { shared, ..self }
    }

    /// Adds an attempt to the bucket of this key. `None` if the bucket is full.
    pub fn begin(&self, tenant: &TenantId, key: impl Hash, now: Timestamp) -> Option<BucketAttempt<'_>> {
        self.begin_of(tenant, key, self.capacity, now)
    }

    /// Like [`Self::begin`], with the key's own capacity.
    pub fn begin_of(
        &self,
        tenant: &TenantId,
        key: impl Hash,
        capacity: u32,
        now: Timestamp,
    ) -> Option<BucketAttempt<'_>> {
        // The milliseconds in which a bucket drains by one attempt.
        let capacity = u64::from(capacity.max(1));
        let interval = (self.span / capacity).max(1);
        let (digest, at) = (self.keys.hash_one(&key), now);
        let now = now.seconds().saturating_mul(1_000);
        let most = interval.saturating_mul(capacity);
        let full = now.saturating_add(most);
        let mut buckets = self.empty_at.lock();
        // A full table keeps the fullest buckets. An attacker who wants to evict a bucket must fill tens of
        // thousands of other buckets of the tenant first.
        let empty_at = buckets.entry(tenant, &digest, |empty_at| empty_at.saturating_sub(now));
        let after = (*empty_at).max(now) + interval;
        if after > full {
            return None;
        }
        let shared = self.shared.begin(tenant, key, interval, most, at)?;
        *empty_at = after;
        Some(BucketAttempt { of: self, tenant: tenant.clone(), key: digest, interval, shared })
    }

    pub fn clear(&self, tenant: &TenantId, key: impl Hash) {
        self.empty_at.lock().remove(tenant, &self.keys.hash_one(&key));
        self.shared.reset(tenant, key);
    }
}

impl BucketAttempt<'_> {
    /// Removes the attempt from its bucket, because it succeeded or failed because of this server.
    pub fn forgive(self) {
        if let Some(empty_at) = self.of.empty_at.lock().get_mut(&self.tenant, &self.key) {
            *empty_at = empty_at.saturating_sub(self.interval);
        }
        self.shared.forgive();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Lifetime = Lifetime::from_seconds(900);

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// How many attempts of this key are accepted now. They are not forgiven.
    fn fit(buckets: &LeakyBuckets, key: &str, now: u64) -> usize {
        (0..1_000).take_while(|_| buckets.begin(&tenant("acme"), key, at(now)).is_some()).count()
    }

    #[test]
    fn bucket_accepts_its_capacity_and_then_leaks() {
        let buckets = LeakyBuckets::new(10, SPAN);
        for (now, expected) in [(1_000, 10), (1_000, 0), (1_089, 0), (1_090, 1), (1_360, 3), (9_000, 10)] {
            assert_eq!(fit(&buckets, "ada", now), expected, "{now}");
        }
    }

    // [shared 2.13]
    #[test]
    fn full_buckets_do_not_affect_other_keys_or_tenants() {
        let buckets = LeakyBuckets::new(10, SPAN);
        assert_eq!(fit(&buckets, "ada", 1_000), 10);
        assert_eq!((0..100).map(|number| fit(&buckets, &number.to_string(), 1_000)).sum::<usize>(), 1_000);
        for number in 0..2 * BUCKETS {
            assert!(buckets.begin_of(&tenant("globex"), number, 1, at(1_000)).is_some(), "{number}");
        }
        assert!(buckets.empty_at.lock().len() <= BUCKETS);
        assert_eq!(fit(&buckets, "ada", 1_000), 0);
        assert_eq!(fit(&buckets, "bob", 1_000), 10);
    }

    #[test]
    fn bucket_uses_given_capacity_and_can_be_cleared() {
        let buckets = LeakyBuckets::new(10, SPAN);
        let fit = |capacity, now| {
            let fits = |_: &u32| buckets.begin_of(&tenant("acme"), "ada", capacity, at(now)).is_some();
            (0..1_000).take_while(fits).count()
        };
        assert_eq!((fit(3, 1_000), fit(3, 1_299), fit(3, 1_300)), (3, 0, 1));
        buckets.clear(&tenant("acme"), "ada");
        assert_eq!((fit(100, 1_300), fit(100, 1_309)), (100, 1));
    }

    #[test]
    fn a_forgiven_attempt_leaves_its_bucket() {
        let buckets = LeakyBuckets::new(10, SPAN);
        for _ in 0..100 {
            buckets.begin(&tenant("acme"), "ada", at(1_000)).unwrap().forgive();
        }
        assert_eq!(fit(&buckets, "ada", 1_000), 10);
        // Setting the clock back does not empty a bucket.
        assert!(buckets.begin(&tenant("acme"), "ada", at(10)).is_none());
    }
}
