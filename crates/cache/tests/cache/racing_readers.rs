//! Tests readers that race with changes. The source is in memory, because a real store is too slow to cause
//! races.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cache::{Freshness, ReadThrough, SharedReading, Source};
use tenancy::{Stored, TenantId};
use tokio::time::Instant;

/// A row whose value is the number of its changes.
#[derive(Clone, Default)]
struct Changes(Arc<AtomicU64>);

#[async_trait]
impl Source for Changes {
    type Key = TenantId;
    type Value = u64;

    const NAME: &'static str = "changes";

    fn bytes(_: &TenantId, _: Option<&u64>) -> usize {
        100
    }

    fn name(key: &TenantId) -> (&TenantId, &str) {
        (key, "")
    }

    async fn load(&self, _: &TenantId) -> Stored<SharedReading<u64>> {
        let (at, value) = (Instant::now(), self.0.load(Ordering::SeqCst));
        tokio::task::yield_now().await;
        Ok(SharedReading { value: Some(Arc::new(value)), at, is_shared: false })
    }

    fn stale_if_error(&self, _: &TenantId, _: &u64) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_readers_never_see_earlier_values() {
    let (changes, done) = (Changes::default(), Arc::new(AtomicBool::new(false)));
    let cache = Arc::new(ReadThrough::new(changes.clone(), 1_000_000, Freshness::default()));
    let acme = TenantId::parse("acme").unwrap();
    let readers = [(); 3].map(|()| {
        let (cache, acme, done) = (Arc::clone(&cache), acme.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                cache.get(&acme).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    });
    for change in 1..=3_000 {
        changes.0.store(change, Ordering::SeqCst);
        if change % 2 == 0 {
            cache.invalidate_tenant(&acme);
        } else {
            cache.invalidate(&acme);
        }
        assert_eq!(cache.get(&acme).await.unwrap().as_deref(), Some(&change));
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}
