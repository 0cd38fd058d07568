//! The three caches of a replica, built together and told together what changed.

use std::sync::Arc;

use administration::Invalidation;
use keys::SigningKeyStore;
use registry::ClientStore;
use tenancy::TenantStore;

use crate::{CachedClientStore, CachedSigningKeyStore, CachedTenantStore};

/// What stands between the request path and the store.
#[derive(Clone)]
pub struct Caches {
    /// Tenants.
    pub tenants: Arc<CachedTenantStore>,
    /// Clients.
    pub clients: Arc<CachedClientStore>,
    /// Sealed keys.
    pub signing_keys: Arc<CachedSigningKeyStore>,
}

/// How many entries each cache has room for; what is asked for least gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Tenants, and names that no tenant has.
    pub tenants: u64,
    /// Clients, and names that no client has.
    pub clients: u64,
    /// Tenants whose keys are kept.
    pub key_sets: u64,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { tenants: 10_000, clients: 50_000, key_sets: 10_000 }
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
    ) -> Self {
        let tenants = Arc::new(CachedTenantStore::new(tenants, capacity.tenants));
        let clients = CachedClientStore::new(clients, Arc::clone(&tenants), capacity.clients);
        let signing_keys = CachedSigningKeyStore::new(signing_keys, Arc::clone(&tenants), capacity.key_sets);
        Self { tenants, clients: Arc::new(clients), signing_keys: Arc::new(signing_keys) }
    }

    /// Forgets what changed. Whoever reads after this call reads what the store holds after it.
    pub fn apply(&self, changes: &[Invalidation]) {
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

    /// Whether any of them last found the store unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.tenants.is_degraded() || self.clients.is_degraded() || self.signing_keys.is_degraded()
    }
}
