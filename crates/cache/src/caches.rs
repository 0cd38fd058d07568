//! The six caches of a replica, built together and invalidated together.

use std::sync::Arc;

use accounts::AccountStore;
use administration::Invalidation;
use keys::SigningKeyStore;
use registry::{ClientStore, RevocationStore};
use tenancy::{LogoStore, TenantStore};
use tokio::sync::oneshot;

use crate::account_store::Accounts;
use crate::client_store::Clients;
use crate::logo_store::Logos;
use crate::revocation_store::Revocations;
use crate::shared::{SharedRows, listen};
use crate::signing_key_store::KeySets;
use crate::tenant_store::Tenants;
use crate::{
    CachedAccountStore, CachedClientStore, CachedLogoStore, CachedRevocationStore, CachedSigningKeyStore,
    CachedTenantStore, Freshness, REVOCATIONS_FRESH, ReadThrough, RedisCache,
};

/// The store behind the caches.
pub trait Store:
    TenantStore + LogoStore + ClientStore + SigningKeyStore + RevocationStore + AccountStore
{
}

impl<S: TenantStore + LogoStore + ClientStore + SigningKeyStore + RevocationStore + AccountStore> Store
    for S
{
}

/// The caches between the request path and the store.
#[derive(Clone)]
pub struct Caches {
    /// Tenants.
    pub tenants: Arc<CachedTenantStore>,
    /// Clients.
    pub clients: Arc<CachedClientStore>,
    /// Sealed keys.
    pub signing_keys: Arc<CachedSigningKeyStore>,
    /// What tenants have revoked.
    pub revocations: Arc<CachedRevocationStore>,
    /// People, without their passwords.
    pub accounts: Arc<CachedAccountStore>,
    /// Pictures of tenants.
    pub logos: Arc<CachedLogoStore>,
    shared: SharedRows,
}

/// The room of each cache in bytes, by the estimated size of its entries. The least used entries are evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Tenants, and names that no tenant has.
    pub tenants: u64,
    /// Clients, and names that no client has.
    pub clients: u64,
    /// Key sets, sealed.
    pub key_sets: u64,
    /// Revocations of tenants.
    pub revocations: u64,
    /// Accounts.
    pub accounts: u64,
    /// Pictures of tenants.
    pub logos: u64,
}

/// Room for some 10 000 usual tenants with their keys, 50 000 usual clients and 20 000 usual accounts.
impl Default for Capacity {
    fn default() -> Self {
        Self {
            tenants: 16 << 20,
            clients: 64 << 20,
            key_sets: 48 << 20,
            revocations: 32 << 20,
            accounts: 32 << 20,
            logos: 16 << 20,
        }
    }
}

impl Caches {
    /// Creates the caches before a store. With Redis they share rows and invalidations with other replicas.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        redis: Option<Arc<RedisCache>>,
        capacity: Capacity,
        freshness: Freshness,
    ) -> Self {
        let shared = SharedRows { redis, freshness };
        let tenants = Tenants { store: store.clone(), shared: shared.clone() };
        let tenants = Arc::new(ReadThrough::new(tenants, capacity.tenants, freshness));
        let clients = Clients { store: store.clone(), shared: shared.clone(), tenants: tenants.clone() };
        let clients = Arc::new(ReadThrough::new(clients, capacity.clients, freshness));
        let signing_keys = KeySets { store: store.clone(), shared: shared.clone(), tenants: tenants.clone() };
        let signing_keys = Arc::new(ReadThrough::new(signing_keys, capacity.key_sets, freshness));
        let within = freshness.at_most(REVOCATIONS_FRESH);
        let of_revocations = SharedRows { freshness: within, ..shared.clone() };
        let revocations = Revocations { store: store.clone(), shared: of_revocations };
        let revocations = Arc::new(ReadThrough::new(revocations, capacity.revocations, within));
        let accounts = Accounts { store: store.clone() };
        let accounts = Arc::new(ReadThrough::new(accounts, capacity.accounts, freshness));
        let logos = Arc::new(ReadThrough::new(Logos { store }, capacity.logos, freshness));
        let caches = Self { tenants, clients, signing_keys, revocations, accounts, logos, shared };
        caches.listen();
        caches
    }

    /// Receives the invalidations of other replicas for as long as the caches are in use.
    fn listen(&self) {
        let Some(redis) = &self.shared.redis else { return };
        let freshness = self.shared.freshness;
        let tenants = Arc::downgrade(&self.tenants);
        let clients = Arc::downgrade(&self.clients);
        let signing_keys = Arc::downgrade(&self.signing_keys);
        let revocations = Arc::downgrade(&self.revocations);
        let accounts = Arc::downgrade(&self.accounts);
        let logos = Arc::downgrade(&self.logos);
        let on_invalidation = move |changes: &[Invalidation]| {
            let (
                Some(tenants),
                Some(clients),
                Some(signing_keys),
                Some(revocations),
                Some(accounts),
                Some(logos),
            ) = (
                tenants.upgrade(),
                clients.upgrade(),
                signing_keys.upgrade(),
                revocations.upgrade(),
                accounts.upgrade(),
                logos.upgrade(),
            )
            else {
                return false;
            };
            let shared = SharedRows { redis: None, freshness };
            Self { tenants, clients, signing_keys, revocations, accounts, logos, shared }.forget(changes);
            true
        };
        redis.connection.runtime.spawn(listen(Arc::downgrade(redis), on_invalidation));
    }

    /// Invalidates what changed: a read after this call returns what the store holds after it. Redis and the other
    /// replicas are notified in the background.
    pub fn apply(&self, changes: &[Invalidation]) {
        drop(self.notify(changes));
    }

    /// Invalidates what changed and waits until Redis and the other replicas are notified or the notification fails;
    /// returns whether it succeeded. Without Redis there are no other replicas to notify.
    pub async fn publish_invalidation(&self, changes: &[Invalidation]) -> bool {
        match self.notify(changes) {
            Some(published) => published.await.unwrap_or(false),
            None => true,
        }
    }

    /// Redis is invalidated first; otherwise a reader would find the old row there.
    fn notify(&self, changes: &[Invalidation]) -> Option<oneshot::Receiver<bool>> {
        let published = self.shared.publish_invalidation(changes);
        self.forget(changes);
        published
    }

    /// Invalidates in this process only: for changes from the store's log, which every replica reads.
    pub fn forget(&self, changes: &[Invalidation]) {
        for change in changes {
            match change {
                // The tenant's policies govern its other rows, so nothing read under the old policies stays.
                Invalidation::Tenant(tenant) => {
                    self.tenants.invalidate_tenant(tenant);
                    self.clients.invalidate_tenant(tenant);
                    self.signing_keys.invalidate_tenant(tenant);
                    self.revocations.invalidate_tenant(tenant);
                    self.accounts.invalidate_tenant(tenant);
                    self.logos.invalidate_tenant(tenant);
                }
                Invalidation::Client(tenant, client) => {
                    self.clients.invalidate(&(tenant.clone(), client.clone()));
                }
                Invalidation::Keys(tenant) => self.signing_keys.invalidate_tenant(tenant),
                Invalidation::Revocations(tenant) => self.revocations.invalidate_tenant(tenant),
                Invalidation::Account(tenant, account) => {
                    self.accounts.invalidate(&(tenant.clone(), account.clone()));
                }
            }
        }
    }

    /// Whether any request could be served now if the store were unavailable: a tenant, a client and keys that may
    /// serve stale are in memory. It scans up to the first of each, so it is only called while the store is
    /// unavailable.
    #[must_use]
    pub fn may_serve_stale(&self) -> bool {
        self.tenants.may_serve_stale()
            && self.clients.may_serve_stale()
            && self.signing_keys.may_serve_stale()
    }

    /// Whether the last load of any cache found the store unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        let Self { tenants, clients, signing_keys, revocations, accounts, logos, shared: _ } = self;
        let counters = [
            &tenants.counters,
            &clients.counters,
            &signing_keys.counters,
            &revocations.counters,
            &accounts.counters,
            &logos.counters,
        ];
        counters.iter().any(|counters| counters.is_degraded())
    }
}
