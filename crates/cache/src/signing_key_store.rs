//! Key sets from memory, sealed as the store holds them; a key that is added goes through to the store. While the store is unavailable
//! they serve for less long than other rows where a tenant's keys follow each other fast.

use std::sync::Arc;
use std::time::Duration;

use administration::Invalidation;
use async_trait::async_trait;
use keys::{KeyRecord, KeyRecords, SigningKeyStore};
use tenancy::{StoreError, TenantId};

use crate::shared::{self, SharedItem};
use crate::{CachedTenantStore, Counts, Freshness, ReadThrough, Reading, RedisCache, Source, weights};

/// A [`SigningKeyStore`] before another.
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

/// Drops a tenant's key set, here and elsewhere, when it goes out of scope, also when the caller gave up in the middle of a write that may have
/// been made.
struct DropKeySet<'a>(&'a CachedSigningKeyStore, &'a TenantId);

impl CachedSigningKeyStore {
    /// With room for so many bytes of sealed keys. The tenants say how long their keys may serve stale.
    #[must_use]
    pub fn new(
        store: Arc<dyn SigningKeyStore>,
        tenants: Arc<CachedTenantStore>,
        capacity: u64,
        freshness: Freshness,
    ) -> Self {
        Self::shared(store, None, tenants, capacity, freshness)
    }

    /// The same, with what other replicas have read.
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

    /// Drops what is known of a tenant's keys.
    pub fn invalidate(&self, tenant: &TenantId) {
        self.key_sets.invalidate_tenant(tenant);
    }

    /// What the cache did since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.key_sets.counts()
    }

    /// Whether any of them may serve now if the store is unavailable.
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

    /// Whatever comes of it, the keys are read anew: `false` too means that there is one which is not in memory.
    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError> {
        let _read_anew = DropKeySet(self, tenant);
        self.store.add_key(tenant, key).await
    }
}

impl Drop for DropKeySet<'_> {
    fn drop(&mut self) {
        if let Some(redis) = &self.0.redis {
            // In the background; until then, Redis is not asked.
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
