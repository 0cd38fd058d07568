//! Cached key sets, sealed as in the store. New keys are written through to the store. If a tenant's keys
//! rotate quickly, they may be served stale for a shorter time than its other rows.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use async_trait::async_trait;
use keys::{KeyRecord, KeyRecords, Kid, SigningKeyStore};
use tenancy::{StoreError, Stored, TenantId};

use crate::read_through::ReadAnew;
use crate::shared::SharedRows;
use crate::{CachedTenantStore, ReadThrough, SharedReading, Source, weights};

/// A [`SigningKeyStore`] that caches another one.
pub type CachedSigningKeyStore = ReadThrough<KeySets>;

pub struct KeySets {
    pub(crate) store: Arc<dyn SigningKeyStore>,
    pub(crate) shared: SharedRows,
    /// The tenants limit how long keys may be served stale.
    pub(crate) tenants: Arc<CachedTenantStore>,
}

#[async_trait]
impl SigningKeyStore for CachedSigningKeyStore {
    async fn find_keys(&self, tenant: &TenantId) -> Stored<Arc<KeyRecords>> {
        let found = self.get(tenant).await?;
        found.ok_or_else(|| StoreError::fault("a key set is never absent"))
    }

    /// Not cached: only an old logout hint needs it.
    async fn find_key(&self, tenant: &TenantId, kid: Kid) -> Stored<Option<KeyRecord>> {
        self.source.store.find_key(tenant, kid).await
    }

    /// Always invalidates the cached keys: `false` means that the store has a key that is not in the cache.
    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Stored<bool> {
        let row = Invalidation::Keys(tenant.clone());
        let _read_anew = ReadAnew { cache: self, shared: &self.source.shared, row };
        self.source.store.add_key(tenant, key).await
    }
}

#[async_trait]
impl Source for KeySets {
    type Key = TenantId;
    type Value = KeyRecords;

    const NAME: &'static str = "key sets";

    fn bytes(key: &TenantId, records: Option<&KeyRecords>) -> usize {
        weights::entry(key.as_str().len(), records.map_or(0, weights::of))
    }

    fn name(key: &TenantId) -> (&TenantId, &str) {
        (key, "")
    }

    async fn load(&self, key: &TenantId) -> Stored<SharedReading<KeyRecords>> {
        let load = async { self.store.find_keys(key).await.map(Some) };
        self.shared.read(&Invalidation::Keys(key.clone()), load).await
    }

    fn stale_if_error(&self, tenant: &TenantId, _: &KeyRecords) -> Duration {
        self.tenants.keys_stale_if_error(tenant)
    }
}
