//! Cached key sets, sealed as the store holds them. A new key is written through to the store. While the
//! store is unavailable, a tenant's keys may serve for less long than its other rows if they rotate fast.

use std::sync::Arc;
use std::time::Duration;

use administration::Invalidation;
use async_trait::async_trait;
use keys::{KeyRecord, KeyRecords, Kid, SigningKeyStore};
use tenancy::{StoreError, Stored, TenantId};

use crate::shared::SharedRows;
use crate::{CachedTenantStore, ReadThrough, SharedReading, Source, weights};

/// A cache before another [`SigningKeyStore`].
pub type CachedSigningKeyStore = ReadThrough<KeySets>;

/// The key sets of a store.
pub struct KeySets {
    pub(crate) store: Arc<dyn SigningKeyStore>,
    pub(crate) shared: SharedRows,
    /// They limit how long keys may serve stale.
    pub(crate) tenants: Arc<CachedTenantStore>,
}

/// Invalidates a tenant's key set on drop, here and at other replicas, even if the caller gave up during a
/// write that may have succeeded.
struct DropKeySet<'a>(&'a CachedSigningKeyStore, &'a TenantId);

#[async_trait]
impl SigningKeyStore for CachedSigningKeyStore {
    async fn find_keys(&self, tenant: &TenantId) -> Stored<Arc<KeyRecords>> {
        let found = self.get(tenant).await?;
        found.ok_or_else(|| StoreError::fault("a key set is never absent"))
    }

    /// The key is read from the store, because only an old hint needs it.
    async fn find_key(&self, tenant: &TenantId, kid: Kid) -> Stored<Option<KeyRecord>> {
        self.source.store.find_key(tenant, kid).await
    }

    /// The keys are invalidated in every case: `false` also means that the store has a key that is not in
    /// memory.
    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Stored<bool> {
        let _read_anew = DropKeySet(self, tenant);
        self.source.store.add_key(tenant, key).await
    }
}

impl Drop for DropKeySet<'_> {
    fn drop(&mut self) {
        let Self(keys, tenant) = self;
        // The invalidation runs in the background. Redis is bypassed until it is done.
        drop(keys.source.shared.publish_invalidation(&[Invalidation::Keys((*tenant).clone())]));
        keys.invalidate_tenant(tenant);
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
