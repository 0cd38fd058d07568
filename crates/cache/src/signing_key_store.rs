//! Cached key sets, sealed as the store holds them. A new key is written through to the store. While the store is
//! unavailable, a tenant's keys may serve for less long than its other rows if they rotate fast.

use std::sync::Arc;
use std::time::Duration;

use administration::Invalidation;
use async_trait::async_trait;
use keys::{KeyRecord, KeyRecords, SigningKeyStore};
use tenancy::{StoreError, TenantId};

use crate::shared::{self, SharedItem};
use crate::{CachedTenantStore, Counts, Freshness, ReadThrough, Reading, RedisCache, Source, weights};

/// A cache before another [`SigningKeyStore`].
pub struct CachedSigningKeyStore {
    store: Arc<dyn SigningKeyStore>,
    redis: Option<Arc<RedisCache>>,
    freshness: Freshness,
    key_sets: ReadThrough<KeySets>,
}

struct KeySets {
    store: Arc<dyn SigningKeyStore>,
    redis: Option<Arc<RedisCache>>,
    freshness: Freshness,
    tenants: Arc<CachedTenantStore>,
}

/// Invalidates a tenant's key set on drop, here and at other replicas, also when the caller gave up during a write
/// that may have succeeded.
struct DropKeySet<'a>(&'a CachedSigningKeyStore, &'a TenantId);

impl CachedSigningKeyStore {
    /// Creates a cache with room for this many bytes of sealed keys. The tenants limit how long keys may serve stale.
    #[must_use]
    pub fn new(
        store: Arc<dyn SigningKeyStore>,
        tenants: Arc<CachedTenantStore>,
        capacity: u64,
        freshness: Freshness,
    ) -> Self {
        Self::shared(store, None, tenants, capacity, freshness)
    }

    /// Creates a cache that shares rows with other replicas.
    pub(crate) fn shared(
        store: Arc<dyn SigningKeyStore>,
        redis: Option<Arc<RedisCache>>,
        tenants: Arc<CachedTenantStore>,
        capacity: u64,
        freshness: Freshness,
    ) -> Self {
        let source = KeySets { store: Arc::clone(&store), redis: redis.clone(), freshness, tenants };
        Self { store, redis, freshness, key_sets: ReadThrough::new(source, capacity, freshness) }
    }

    /// Drops the keys of a tenant.
    pub fn invalidate(&self, tenant: &TenantId) {
        self.key_sets.invalidate_tenant(tenant);
    }

    /// The counters since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.key_sets.counts()
    }

    /// Whether any key set may serve now if the store is unavailable.
    pub(crate) fn may_serve_stale(&self) -> bool {
        self.key_sets.may_serve_stale()
    }

    /// Whether the last load found the store unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.key_sets.is_degraded()
    }
}

#[async_trait]
impl SigningKeyStore for CachedSigningKeyStore {
    async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError> {
        let found = self.key_sets.get(tenant).await?;
        found.ok_or_else(|| StoreError::fault("a key set is never absent"))
    }

    /// The keys are invalidated in every case: `false` also means that the store has a key which is not in memory.
    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError> {
        let _read_anew = DropKeySet(self, tenant);
        self.store.add_key(tenant, key).await
    }
}

impl Drop for DropKeySet<'_> {
    fn drop(&mut self) {
        if let Some(redis) = &self.0.redis {
            // In the background; until then Redis is bypassed.
            drop(redis.publish_invalidation(&[Invalidation::Keys(self.1.clone())], self.0.freshness));
        }
        self.0.invalidate(self.1);
    }
}

#[async_trait]
impl Source for KeySets {
    type Key = TenantId;
    type Value = KeyRecords;

    const NAME: &'static str = "key sets";

    fn bytes(key: &TenantId, records: Option<&KeyRecords>) -> usize {
        weights::entry(key.as_str().len(), records.map_or(0, weights::of_keys))
    }

    fn tenant_of(key: &TenantId) -> &TenantId {
        key
    }

    async fn load(&self, key: &TenantId) -> Result<Reading<KeyRecords>, StoreError> {
        let load = async { self.store.find_keys(key).await.map(Some) };
        shared::read(self.redis.as_ref(), self.freshness, SharedItem::Keys(key), load).await
    }

    fn stale_if_error(&self, key: &TenantId, _: &KeyRecords) -> Duration {
        self.tenants.keys_stale_if_error(key, self.freshness)
    }
}
