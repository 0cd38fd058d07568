//! Cached clients by tenant and identifier: clients of two tenants with one name are never confused.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, TenantId};

use crate::shared::{SharedItem, SharedRows};
use crate::{CachedTenantStore, ReadThrough, Reading, Source, weights};

/// A cache before another [`ClientStore`].
pub type CachedClientStore = ReadThrough<Clients>;

/// The clients of a store.
pub struct Clients {
    store: Arc<dyn ClientStore>,
    shared: SharedRows,
    tenants: Arc<CachedTenantStore>,
}

/// The store returned another client than the requested one.
#[derive(Debug, thiserror::Error)]
#[error("the store answered with client {answered} of {owner} instead of {requested} of {tenant}")]
struct WrongClient {
    tenant: TenantId,
    requested: ClientId,
    owner: TenantId,
    answered: ClientId,
}

impl CachedClientStore {
    /// Creates a cache with room for this many bytes of clients, existing or not. The tenants limit how long clients
    /// may serve stale.
    pub(crate) fn of_clients(
        store: Arc<dyn ClientStore>,
        tenants: Arc<CachedTenantStore>,
        capacity: u64,
        shared: SharedRows,
    ) -> Self {
        let freshness = shared.freshness;
        Self::new(Clients { store, shared, tenants }, capacity, freshness)
    }
}

#[async_trait]
impl ClientStore for CachedClientStore {
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        self.get(&(tenant.clone(), client.clone())).await
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
        let found = async {
            match self.store.find_client(tenant, id).await? {
                Some(client) if client.tenant != *tenant || client.id != *id => {
                    Err(StoreError::fault(WrongClient {
                        tenant: tenant.clone(),
                        requested: id.clone(),
                        owner: client.tenant.clone(),
                        answered: client.id.clone(),
                    }))
                }
                found => Ok(found),
            }
        };
        self.shared.read(SharedItem::Client(tenant, id), found).await
    }

    fn stale_if_error(&self, (tenant, _): &Self::Key, _: &Client) -> Duration {
        self.tenants.rows_stale_if_error(tenant)
    }
}

#[cfg(test)]
mod tests {
    use testkit::{MemoryStore, fixtures};

    use super::*;
    use crate::Freshness;

    /// 100 clients of 60 KiB, of which four fit, and 100 usual ones, which all do.
    #[tokio::test]
    async fn fat_clients_give_way_and_the_cache_has_an_end_in_bytes() {
        const ROOM: u64 = 256 * 1024;
        let shared = || SharedRows { redis: None, freshness: Freshness::default() };
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
            let tenants = Arc::new(CachedTenantStore::of_tenants(store.clone(), 1 << 20, shared()));
            let clients = CachedClientStore::of_clients(store.clone(), tenants, ROOM, shared());
            let kept = async |kind: &str| {
                let ids = (0..100).map(|nth| fixtures::client_id(&format!("{kind}-{nth}")));
                for id in ids.clone() {
                    assert!(clients.find_client(&tenant.id, &id).await.unwrap().is_some());
                    assert!(clients.bytes() <= ROOM, "after {id}");
                }
                ids.filter(|id| clients.peek(&(tenant.id.clone(), id.clone())).is_some()).count()
            };
            let fat = kept("fat").await;
            assert!((1..=4).contains(&fat), "{fat} fat ones are kept");
            clients.invalidate_tenant(&tenant.id);
            for nth in 0..100 {
                clients.invalidate(&(tenant.id.clone(), fixtures::client_id(&format!("fat-{nth}"))));
            }
            assert_eq!(kept("thin").await, 100);
        }
    }
}
