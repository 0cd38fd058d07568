//! How often something was tried: a leaky bucket for each key. A bucket of `capacity` attempts drains evenly within a span, so a key may
//! try `capacity` times at once, and then once for each part of the span.
//!
//! Keys share a fixed number of buckets by a hash that no caller can predict. So the memory never grows, no key pushes another one
//! out, and an attacker cannot choose whose bucket to fill.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::{Lifetime, Timestamp};

/// Buckets of 8 bytes. A server that computes a hundred password hashes a second fills each of them to a small part.
const BUCKETS: usize = 65_536;

/// The buckets of one kind of key.
pub struct LeakyBuckets {
    keys: RandomState,
    /// In milliseconds.
    span: u64,
    capacity: u32,
    /// When each bucket is empty, in milliseconds since 1970.
    empty_at: Vec<AtomicU64>,
}

/// An attempt in a bucket. It stays there unless it is forgiven, also when it is dropped half way.
#[must_use]
pub struct BucketAttempt<'a> {
    empty_at: &'a AtomicU64,
    interval: u64,
}

impl LeakyBuckets {
    /// Creates empty buckets for so many attempts in this span.
    #[must_use]
    pub fn new(capacity: u32, span: Lifetime) -> Self {
        let empty_at = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { keys: RandomState::new(), span: span.seconds().saturating_mul(1_000), capacity, empty_at }
    }

    /// Adds an attempt to the bucket of this key; `None` where the bucket is full.
    pub fn begin(&self, key: impl Hash, now: Timestamp) -> Option<BucketAttempt<'_>> {
        self.begin_of(self.capacity, key, now)
    }

    /// The same for a key that has a capacity of its own.
    pub fn begin_of(&self, capacity: u32, key: impl Hash, now: Timestamp) -> Option<BucketAttempt<'_>> {
        // The milliseconds in which a bucket loses one attempt.
        let capacity = u64::from(capacity.max(1));
        let interval = (self.span / capacity).max(1);
        let empty_at = self.bucket(key);
        let now = now.seconds().saturating_mul(1_000);
        let full = now.saturating_add(interval.saturating_mul(capacity));
        let add = |empty_at: u64| Some(empty_at.max(now) + interval).filter(|empty_at| *empty_at <= full);
        let added = empty_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        added.is_ok().then_some(BucketAttempt { empty_at, interval })
    }

    /// Takes all attempts out of the bucket of this key.
    pub fn clear(&self, key: impl Hash) {
        self.bucket(key).store(0, Ordering::Relaxed);
    }

    fn bucket(&self, key: impl Hash) -> &AtomicU64 {
        &self.empty_at[usize::try_from(self.keys.hash_one(key) % BUCKETS as u64).unwrap_or(0)]
    }
}

impl BucketAttempt<'_> {
    /// Takes the attempt out of its bucket: it succeeded, or it failed because of this server.
    pub fn forgive(self) {
        let take = |empty_at: u64| Some(empty_at.saturating_sub(self.interval));
        // The function always returns a value.
        let _ = self.empty_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Lifetime = Lifetime::from_seconds(900);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// How many attempts of this key fit in now; they stay.
    fn fit(buckets: &LeakyBuckets, key: &str, now: u64) -> usize {
        (0..1_000).take_while(|_| buckets.begin(key, at(now)).is_some()).count()
    }

    #[test]
    fn a_bucket_takes_its_capacity_at_once_and_then_what_has_leaked() {
        let buckets = LeakyBuckets::new(10, SPAN);
        for (now, expected) in [(1_000, 10), (1_000, 0), (1_089, 0), (1_090, 1), (1_360, 3), (9_000, 10)] {
            assert_eq!(fit(&buckets, "ada", now), expected, "{now}");
        }
    }

    #[test]
    fn keys_have_buckets_of_their_own() {
        let buckets = LeakyBuckets::new(10, SPAN);
        assert_eq!(fit(&buckets, "ada", 1_000), 10);
        // One of 65 536 buckets is full, so hardly any of these keys shares it.
        let others: usize = (0..100).map(|number| fit(&buckets, &format!("key {number}"), 1_000)).sum();
        assert!(others >= 900, "{others}");
    }

    #[test]
    fn a_capacity_of_its_own_holds_for_its_key_and_a_cleared_bucket_is_empty() {
        let buckets = LeakyBuckets::new(10, SPAN);
        let fit = |capacity, now| {
            (0..1_000).take_while(|_| buckets.begin_of(capacity, "ada", at(now)).is_some()).count()
        };
        assert_eq!((fit(3, 1_000), fit(3, 1_299), fit(3, 1_300)), (3, 0, 1));
        buckets.clear("ada");
        assert_eq!((fit(100, 1_300), fit(100, 1_309)), (100, 1));
    }

    #[test]
    fn a_forgiven_attempt_leaves_its_bucket() {
        let buckets = LeakyBuckets::new(10, SPAN);
        for _ in 0..100 {
            buckets.begin("ada", at(1_000)).unwrap().forgive();
        }
        assert_eq!(fit(&buckets, "ada", 1_000), 10);
        // A clock that was set back takes nothing away.
        assert!(buckets.begin("ada", at(10)).is_none());
    }
}
