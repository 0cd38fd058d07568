//! Until when a replica knows all changes of the store. A change removes its row from the cache. So a row
//! that is still cached is current as of the last read of the change log, even if the row itself was read
//! long before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// After the store's history changed, connections to the previous server may still answer for this time.
const SETTLED_AFTER: Duration = Duration::from_secs(10);

/// The progress in the change log. Times are nanoseconds since `base`.
#[derive(Debug)]
pub(crate) struct Followed {
    base: Instant,
    /// All changes until this time have been applied.
    until: AtomicU64,
    /// Rows that were read before this time are not covered by the change log.
    since: AtomicU64,
}

impl Followed {
    pub(crate) fn new() -> Self {
        Self { base: Instant::now(), until: AtomicU64::new(0), since: AtomicU64::new(u64::MAX) }
    }

    /// Records that all changes until `at` have been applied.
    pub(crate) fn follow(&self, at: Instant) {
        self.until.fetch_max(self.nanos(at), Ordering::Release);
    }

    /// The store has a new history, which may not contain rows that were read before.
    pub(crate) fn begin_history(&self) {
        self.since.store(self.nanos(Instant::now() + SETTLED_AFTER), Ordering::Release);
    }

    /// The latest time at which a row read at `read_at` is known to be current.
    pub(crate) fn known(&self, read_at: Instant) -> Instant {
        if self.nanos(read_at) < self.since.load(Ordering::Acquire) {
            return read_at;
        }
        read_at.max(self.base + Duration::from_nanos(self.until.load(Ordering::Acquire)))
    }

    /// The time since all changes were last known.
    pub(crate) fn age(&self) -> Duration {
        self.base.elapsed().saturating_sub(Duration::from_nanos(self.until.load(Ordering::Acquire)))
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.base).as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use tenancy::{Stored, TenantId};
    use testkit::fixtures;
    use tokio::time::advance;

    use super::*;
    use crate::{FRESH, Freshness, ReadThrough, SharedReading, Source};

    /// Returns numbers of loads, marked as read by another replica.
    #[derive(Default)]
    struct SharedLoads(AtomicU64);

    #[async_trait]
    impl Source for SharedLoads {
        type Key = TenantId;
        type Value = u64;

        const NAME: &'static str = "shared loads";

        fn bytes(_: &TenantId, _: Option<&u64>) -> usize {
            8
        }

        fn name(tenant: &TenantId) -> (&TenantId, &str) {
            (tenant, "")
        }

        async fn load(&self, _: &TenantId) -> Stored<SharedReading<u64>> {
            let value = Some(Arc::new(self.0.fetch_add(1, Ordering::Relaxed)));
            Ok(SharedReading { value, at: Instant::now(), is_shared: true })
        }

        fn stale_if_error(&self, _: &TenantId, _: &u64) -> Duration {
            Duration::ZERO
        }
    }

    /// The other replica may have read the row before a change that this replica already knows.
    #[tokio::test(start_paused = true)]
    async fn row_read_by_another_replica_is_not_followed() {
        let cache = ReadThrough::new(SharedLoads::default(), 1_000_000, Freshness::default());
        cache.expire_all(Duration::ZERO);
        advance(2 * SETTLED_AFTER).await;
        let acme = fixtures::tenant_id("acme");
        for number in 0..3 {
            assert_eq!(cache.get(&acme).await.unwrap().as_deref(), Some(&number));
            advance(FRESH).await;
            cache.follow(Instant::now());
        }
    }
}
