//! Cached clients by tenant and identifier: clients of two tenants with one name are never confused.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, TenantId};

use crate::shared::{self, SharedItem};
use crate::{CachedTenantStore, Counts, Freshness, ReadThrough, Reading, RedisCache, Source, weights};

/// A cache before another [`ClientStore`].
pub struct CachedClientStore {
    clients: ReadThrough<Clients>,
}

/// The store returned another client than the requested one.
#[derive(Debug, thiserror::Error)]
#[error("asked for client {requested} of {tenant}, the store answered with {answered} of {owner}")]
struct WrongClient {
    tenant: TenantId,
    requested: ClientId,
    owner: TenantId,
    answered: ClientId,
}

struct Clients {
    store: Arc<dyn ClientStore>,
    redis: Option<Arc<RedisCache>>,
    freshness: Freshness,
    tenants: Arc<CachedTenantStore>,
}

impl CachedClientStore {
    /// Creates a cache with room for this many bytes of clients, existing or not. The tenants limit how long clients
    /// may serve stale.
    #[must_use]
    pub fn new(
        store: Arc<dyn ClientStore>,
        tenants: Arc<CachedTenantStore>,
        capacity: u64,
        freshness: Freshness,
    ) -> Self {
        Self::shared(store, None, tenants, capacity, freshness)
    }

    /// Creates a cache that shares rows with other replicas.
    pub(crate) fn shared(
        store: Arc<dyn ClientStore>,
        redis: Option<Arc<RedisCache>>,
        tenants: Arc<CachedTenantStore>,
        capacity: u64,
        freshness: Freshness,
    ) -> Self {
        Self { clients: ReadThrough::new(Clients { store, redis, freshness, tenants }, capacity, freshness) }
    }

    /// Drops one client.
    pub fn invalidate(&self, tenant: &TenantId, client: &ClientId) {
        self.clients.invalidate(&(tenant.clone(), client.clone()));
    }

    /// Drops the clients of a tenant.
    pub fn invalidate_tenant(&self, tenant: &TenantId) {
        self.clients.invalidate_tenant(tenant);
    }

    /// The counters since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.clients.counts()
    }

    /// Whether any client may serve now if the store is unavailable.
    pub(crate) fn may_serve_stale(&self) -> bool {
        self.clients.may_serve_stale()
    }

    /// Whether the last load found the store unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.clients.is_degraded()
    }
}

#[async_trait]
impl ClientStore for CachedClientStore {
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        self.clients.get(&(tenant.clone(), client.clone())).await
    }
}

#[async_trait]
impl Source for Clients {
    type Key = (TenantId, ClientId);
    type Value = Client;

    const NAME: &'static str = "clients";

    fn bytes((tenant, id): &Self::Key, client: Option<&Client>) -> usize {
        weights::entry(tenant.as_str().len() + id.as_str().len(), client.map_or(0, weights::of_client))
    }

    fn tenant_of((tenant, _): &Self::Key) -> &TenantId {
        tenant
    }

    async fn load(&self, (tenant, id): &Self::Key) -> Result<Reading<Client>, StoreError> {
        shared::read(
            self.redis.as_ref(),
            self.freshness,
            SharedItem::Client(tenant, id),
            self.find(tenant, id),
        )
        .await
    }

    fn stale_if_error(&self, (tenant, _): &Self::Key, _: &Client) -> Duration {
        self.tenants.stale_if_error(tenant)
    }
}

impl Clients {
    async fn find(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        let found = self.store.find_client(tenant, id).await?;
        match &found {
            Some(client) if client.tenant != *tenant || client.id != *id => {
                Err(StoreError::fault(WrongClient {
                    tenant: tenant.clone(),
                    requested: id.clone(),
                    owner: client.tenant.clone(),
                    answered: client.id.clone(),
                }))
            }
            Some(_) | None => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use testkit::{MemoryStore, fixtures};

    use super::*;

    /// 100 clients of 60 KiB, of which four fit, and 100 usual ones, which all do.
    #[tokio::test]
    async fn fat_clients_give_way_and_the_cache_has_an_end_in_bytes() {
        const ROOM: u64 = 256 * 1024;
        let store = Arc::new(MemoryStore::new());
        for tenant in ["acme", "globex"].map(fixtures::tenant) {
            store.put_tenant(tenant.clone());
            for nth in 0..100 {
                let fat = (0..30).map(|audience| format!("{audience:02000}")).collect();
                store.put_client(Client {
                    audiences: fat,
                    ..fixtures::client(&tenant, &format!("fat-{nth}"))
                });
                store.put_client(fixtures::client(&tenant, &format!("thin-{nth}")));
            }
            let tenants = Arc::new(CachedTenantStore::new(store.clone(), 1 << 20, Freshness::default()));
            let clients = CachedClientStore::new(store.clone(), tenants, ROOM, Freshness::default());
            let kept = async |kind: &str| {
                let ids = (0..100).map(|nth| fixtures::client_id(&format!("{kind}-{nth}")));
                for id in ids.clone() {
                    assert!(clients.find_client(&tenant.id, &id).await.unwrap().is_some());
                    assert!(clients.clients.bytes() <= ROOM, "after {id}");
                }
                ids.filter(|id| clients.clients.peek(&(tenant.id.clone(), id.clone())).is_some()).count()
            };
            let fat = kept("fat").await;
            assert!((1..=4).contains(&fat), "{fat} fat ones are kept");
            clients.invalidate_tenant(&tenant.id);
            for nth in 0..100 {
                clients.invalidate(&tenant.id, &fixtures::client_id(&format!("fat-{nth}")));
            }
            assert_eq!(kept("thin").await, 100);
        }
    }
}
