//! The three caches of a replica, built together and told together what changed.

use std::sync::Arc;

use administration::Invalidation;
use keys::SigningKeyStore;
use registry::ClientStore;
use tenancy::TenantStore;
use tokio::sync::oneshot;

use crate::shared::listen;
use crate::{CachedClientStore, CachedSigningKeyStore, CachedTenantStore, Freshness, RedisCache};

/// What stands between the request path and the store.
#[derive(Clone)]
pub struct Caches {
    /// Tenants.
    pub tenants: Arc<CachedTenantStore>,
    /// Clients.
    pub clients: Arc<CachedClientStore>,
    /// Sealed keys.
    pub signing_keys: Arc<CachedSigningKeyStore>,
    redis: Option<Arc<RedisCache>>,
    freshness: Freshness,
}

/// How many bytes each cache has room for, as estimated from what its entries hold; what is asked for least gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Tenants, and names that no tenant has.
    pub tenants: u64,
    /// Clients, and names that no client has.
    pub clients: u64,
    /// Key sets, sealed.
    pub key_sets: u64,
}

/// Room for some 10 000 usual tenants with their keys, and 50 000 usual clients.
impl Default for Capacity {
    fn default() -> Self {
        Self { tenants: 16 << 20, clients: 64 << 20, key_sets: 48 << 20 }
    }
}

impl Caches {
    /// Before these stores.
    #[must_use]
    pub fn new(
        tenants: Arc<dyn TenantStore>,
        clients: Arc<dyn ClientStore>,
        signing_keys: Arc<dyn SigningKeyStore>,
        capacity: Capacity,
        freshness: Freshness,
    ) -> Self {
        Self::build(tenants, clients, signing_keys, None, capacity, freshness)
    }

    /// Before these stores, with what other replicas have read, and forgetting what they have changed.
    #[must_use]
    pub fn with_redis(
        tenants: Arc<dyn TenantStore>,
        clients: Arc<dyn ClientStore>,
        signing_keys: Arc<dyn SigningKeyStore>,
        redis: Arc<RedisCache>,
        capacity: Capacity,
        freshness: Freshness,
    ) -> Self {
        let shared = Some(Arc::clone(&redis));
        let caches = Self::build(tenants, clients, signing_keys, shared, capacity, freshness);
        let tenants = Arc::downgrade(&caches.tenants);
        let clients = Arc::downgrade(&caches.clients);
        let signing_keys = Arc::downgrade(&caches.signing_keys);
        let on_invalidation = move |changes: &[Invalidation]| {
            let (Some(tenants), Some(clients), Some(signing_keys)) =
                (tenants.upgrade(), clients.upgrade(), signing_keys.upgrade())
            else {
                return false;
            };
            Self { tenants, clients, signing_keys, redis: None, freshness }.forget(changes);
            true
        };
        redis.connection.runtime.spawn(listen(Arc::downgrade(&redis), on_invalidation));
        caches
    }

    fn build(
        tenants: Arc<dyn TenantStore>,
        clients: Arc<dyn ClientStore>,
        signing_keys: Arc<dyn SigningKeyStore>,
        redis: Option<Arc<RedisCache>>,
        capacity: Capacity,
        freshness: Freshness,
    ) -> Self {
        let tenants =
            Arc::new(CachedTenantStore::shared(tenants, redis.clone(), capacity.tenants, freshness));
        let clients = CachedClientStore::shared(
            clients,
            redis.clone(),
            Arc::clone(&tenants),
            capacity.clients,
            freshness,
        );
        let signing_keys = CachedSigningKeyStore::shared(
            signing_keys,
            redis.clone(),
            Arc::clone(&tenants),
            capacity.key_sets,
            freshness,
        );
        Self { tenants, clients: Arc::new(clients), signing_keys: Arc::new(signing_keys), redis, freshness }
    }

    /// Forgets what changed. Whoever reads after this call reads what the store holds after it. Redis and the other replicas are
    /// told in the background.
    pub fn apply(&self, changes: &[Invalidation]) {
        drop(self.notify(changes));
    }

    /// The same, and waits until Redis and the other replicas are told, or cannot be told now; says which. Without Redis there
    /// is nobody to tell.
    pub async fn publish_invalidation(&self, changes: &[Invalidation]) -> bool {
        match self.notify(changes) {
            Some(published) => published.await.unwrap_or(false),
            None => true,
        }
    }

    /// Redis is told first, or a reader would find there what was just forgotten here.
    fn notify(&self, changes: &[Invalidation]) -> Option<oneshot::Receiver<bool>> {
        let redis = self.redis.as_ref().filter(|_| !changes.is_empty());
        let published = redis.map(|redis| redis.publish_invalidation(changes, self.freshness));
        self.forget(changes);
        published
    }

    /// Forgets in this process only: for what was heard from the store, which every replica hears.
    pub fn forget(&self, changes: &[Invalidation]) {
        for change in changes {
            match change {
                // Its policies decide how the rest of it may be used, so nothing that was read under the old ones stays.
                Invalidation::Tenant(tenant) => {
                    self.tenants.invalidate(tenant);
                    self.clients.invalidate_tenant(tenant);
                    self.signing_keys.invalidate(tenant);
                }
                Invalidation::Client(tenant, client) => self.clients.invalidate(tenant, client),
                Invalidation::Keys(tenant) => self.signing_keys.invalidate(tenant),
            }
        }
    }

    /// Whether anybody would be served now if the store were unavailable: a tenant, a client and keys that may serve stale are in memory.
    /// It looks through what is in memory, up to the first of each, so it is asked only while the store is missed.
    #[must_use]
    pub fn may_serve_stale(&self) -> bool {
        self.tenants.may_serve_stale()
            && self.clients.may_serve_stale()
            && self.signing_keys.may_serve_stale()
    }

    /// Whether any of them last found the store unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.tenants.is_degraded() || self.clients.is_degraded() || self.signing_keys.is_degraded()
    }
}
