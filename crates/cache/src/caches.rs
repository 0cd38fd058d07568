//! The eight caches of a replica.

use std::sync::Arc;
use std::time::Duration;

use accounts::AccountStore;
use administration::kinds::{Invalidation, RequestRows};
use keys::SigningKeyStore;
use registry::{ApiKeyStore, ClientStore, FederatedClientStore, RevocationStore};
use tenancy::{History, LogoStore, TenantId, TenantResolver, TenantStore};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::account_store::Accounts;
use crate::api_key_store::ApiKeyRows;
use crate::client_store::Clients;
use crate::federated_client_store::FederatedSubjects;
use crate::logo_store::Logos;
use crate::revocation_store::Revocations;
use crate::shared::{SharedRows, listen};
use crate::signing_key_store::KeySets;
use crate::tenant_store::Tenants;
use crate::{
    CachedAccountStore, CachedApiKeyStore, CachedClientStore, CachedFederatedClientStore, CachedLogoStore,
    CachedRevocationStore, CachedSigningKeyStore, CachedTenantStore, Counters, Freshness, REVOCATIONS_FRESH,
    ReadThrough, RedisCache,
};

/// After the store's history changed, all rows are read again within this time.
const READ_AGAIN_WITHIN: Duration = Duration::from_millis(750);

/// Defines the caches of a replica, each with its default capacity, and the functions that apply to all
/// caches.
macro_rules! caches {
    ($($(#[$doc:meta])* $name:ident: $cache:ty = $room:expr,)+) => {
        /// The caches between requests and the store.
        #[derive(Clone)]
        pub struct Caches {
            $($(#[$doc])* pub $name: Arc<$cache>,)+
            shared: SharedRows,
        }

        /// The capacity of each cache in bytes, by the estimated size of its entries. The least used entries
        /// are evicted first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Capacity {
            $($(#[$doc])* pub $name: u64,)+
        }

        /// Enough for about 10 000 typical tenants with their keys, 50 000 typical clients, 50 000 API keys
        /// and 20 000 typical accounts.
        impl Default for Capacity {
            fn default() -> Self {
                Self { $($name: $room,)+ }
            }
        }

        impl Capacity {
            /// Sets the capacity of the cache with this name. Does nothing for an unknown name.
            pub fn set(&mut self, name: &str, bytes: u64) {
                match name {
                    $(stringify!($name) => self.$name = bytes,)+
                    _ => {}
                }
            }
        }

        impl Caches {
            /// Returns a function that finds these caches as long as they are in use. The caches that it
            /// returns do not forward invalidations to other replicas.
            fn while_in_use(&self) -> impl Fn() -> Option<Self> + Send + Sync + use<> {
                let freshness = self.shared.freshness;
                $(let $name = Arc::downgrade(&self.$name);)+
                move || {
                    let shared = SharedRows { redis: None, freshness };
                    Some(Self { $($name: $name.upgrade()?,)+ shared })
                }
            }

            /// The tenant's policies apply to its other rows too, so all rows of the tenant are dropped.
            fn forget_tenant(&self, tenant: &TenantId) {
                $(self.$name.invalidate_tenant(tenant);)+
            }

            /// Call this when the store has a new history, for example after a failover, which may have lost
            /// rows. Revocations are read again before any token is checked, because a failover that lost
            /// transactions could make a revoked token valid. While the store is unavailable, the old
            /// revocations are still used to issue tokens. All other rows are read again within a second, not
            /// all at the same moment.
            pub fn begin_history(&self, history: History) {
                if let Some(redis) = &self.shared.redis {
                    redis.begin_history(history);
                }
                $(self.$name.expire_all(READ_AGAIN_WITHIN);)+
                self.revocations.begin_history();
            }

            /// Records that all changes of the store until `at` have been applied.
            pub fn follow(&self, at: Instant) {
                $(self.$name.follow(at);)+
            }

            /// The counters of each cache, with the labels for metrics.
            #[must_use]
            pub fn counters(&self) -> Vec<(&'static [(&'static str, &'static str)], &Counters)> {
                vec![$((&[("cache", stringify!($name))], &self.$name.counters),)+]
            }
        }
    };
}

caches! {
    /// Tenants, and ids that no tenant has.
    tenants: CachedTenantStore = 16 << 20,
    /// Clients, and ids that no client has.
    clients: CachedClientStore = 64 << 20,
    /// The client of each subject of another issuer, and subjects without a client.
    federated: CachedFederatedClientStore = 32 << 20,
    /// API keys, and names that no key has.
    api_keys: CachedApiKeyStore = 64 << 20,
    /// Key sets, sealed.
    signing_keys: CachedSigningKeyStore = 48 << 20,
    revocations: CachedRevocationStore = 32 << 20,
    /// Accounts without passwords.
    accounts: CachedAccountStore = 32 << 20,
    logos: CachedLogoStore = 16 << 20,
}

impl Caches {
    /// With Redis, the caches share rows and invalidations with other replicas.
    #[must_use]
    pub fn new<S>(
        store: Arc<S>,
        redis: Option<Arc<RedisCache>>,
        capacity: Capacity,
        freshness: Freshness,
    ) -> Self
    where
        S: TenantStore + LogoStore + ClientStore + FederatedClientStore + ApiKeyStore,
        S: SigningKeyStore + RevocationStore + AccountStore + 'static,
    {
        let shared = SharedRows { redis, freshness };
        let tenants = Tenants { store: store.clone(), shared: shared.clone() };
        let tenants = Arc::new(ReadThrough::new(tenants, capacity.tenants, freshness));
        let clients = Clients { store: store.clone(), shared: shared.clone(), tenants: tenants.clone() };
        let clients = Arc::new(ReadThrough::new(clients, capacity.clients, freshness));
        let federated = FederatedSubjects { store: store.clone(), tenants: tenants.clone() };
        let federated = Arc::new(ReadThrough::new(federated, capacity.federated, freshness));
        let api_keys = ApiKeyRows { store: store.clone(), shared: shared.clone(), tenants: tenants.clone() };
        let api_keys = Arc::new(ReadThrough::new(api_keys, capacity.api_keys, freshness));
        let signing_keys = KeySets { store: store.clone(), shared: shared.clone(), tenants: tenants.clone() };
        let signing_keys = Arc::new(ReadThrough::new(signing_keys, capacity.signing_keys, freshness));
        let within = freshness.at_most(REVOCATIONS_FRESH);
        let of_revocations = SharedRows { freshness: within, ..shared.clone() };
        let revocations = Revocations { store: store.clone(), shared: of_revocations };
        let revocations = Arc::new(ReadThrough::new(revocations, capacity.revocations, within));
        let accounts = Accounts { store: store.clone() };
        let accounts = Arc::new(ReadThrough::new(accounts, capacity.accounts, freshness));
        let logos = Arc::new(ReadThrough::new(Logos { store }, capacity.logos, freshness));
        let caches = Self {
            tenants,
            clients,
            federated,
            api_keys,
            signing_keys,
            revocations,
            accounts,
            logos,
            shared,
        };
        caches.listen();
        caches
    }

    /// The stores that requests read.
    #[must_use]
    pub fn rows(&self) -> RequestRows {
        RequestRows {
            tenants: TenantResolver::new(self.tenants.clone()),
            clients: self.clients.clone(),
            federated: self.federated.clone(),
            api_keys: self.api_keys.clone(),
            revocations: self.revocations.clone(),
            accounts: self.accounts.clone(),
            logos: self.logos.clone(),
        }
    }

    /// Receives the invalidations of other replicas as long as the caches are in use.
    fn listen(&self) {
        let Some(redis) = &self.shared.redis else { return };
        let in_use = self.while_in_use();
        let on_invalidation = move |changes: &[Invalidation]| {
            let caches = in_use();
            caches.map(|caches| caches.forget(changes)).is_some()
        };
        redis.connection.runtime.spawn(listen(Arc::downgrade(redis), on_invalidation));
    }

    /// Invalidates changed rows. A read after this call returns the row after the change. Redis and the other
    /// replicas are notified in the background.
    pub fn apply(&self, changes: &[Invalidation]) {
        drop(self.notify(changes));
    }

    /// Invalidates changed rows, notifies Redis and the other replicas, and waits for the result. Returns
    /// `false` if the notification failed. Without Redis there are no other replicas to notify.
    pub async fn publish_invalidation(&self, changes: &[Invalidation]) -> bool {
        match self.notify(changes) {
            Some(published) => published.await.unwrap_or(false),
            None => true,
        }
    }

    /// Redis is bypassed before the local entry is dropped. Otherwise a reader could find the old row in
    /// Redis.
    fn notify(&self, changes: &[Invalidation]) -> Option<oneshot::Receiver<bool>> {
        let published = self.shared.publish_invalidation(changes);
        self.forget(changes);
        published
    }

    /// Invalidates rows in this process only. For changes from the store's log, which every replica reads
    /// itself.
    pub fn forget(&self, changes: &[Invalidation]) {
        for change in changes {
            match change {
                Invalidation::Tenant(tenant) => self.forget_tenant(tenant),
                Invalidation::Client(tenant, client) => {
                    self.clients.invalidate(&(tenant.clone(), client.clone()));
                    self.federated.invalidate_tenant(tenant);
                }
                Invalidation::ApiKey(tenant, key) => self.api_keys.invalidate(&(tenant.clone(), key.clone())),
                Invalidation::Keys(tenant) => self.signing_keys.invalidate_tenant(tenant),
                Invalidation::Revocations(tenant) => self.revocations.invalidate_tenant(tenant),
                Invalidation::Account(tenant, account) => {
                    self.accounts.invalidate(&(tenant.clone(), account.clone()));
                }
            }
        }
    }

    /// The time since all changes of the store were last known.
    #[must_use]
    pub fn followed_age(&self) -> Duration {
        self.tenants.followed_age()
    }

    /// Whether any request could be served if the store were unavailable: whether a tenant, a client and keys
    /// are in memory that may be served stale. Scans up to the first of each, so call it only while the store
    /// is unavailable.
    #[must_use]
    pub fn may_serve_stale(&self) -> bool {
        self.tenants.may_serve_stale()
            && self.clients.may_serve_stale()
            && self.signing_keys.may_serve_stale()
    }

    /// Whether the last load of any cache failed because the store was unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.counters().into_iter().any(|(_, counters)| counters.is_degraded())
    }
}
