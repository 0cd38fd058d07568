//! Cached clients by tenant and client id.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use async_trait::async_trait;
use registry::{Client, ClientId, ClientStore};
use tenancy::{Stored, TenantId};

use crate::read_through::checked;
use crate::shared::SharedRows;
use crate::{CachedTenantStore, ReadThrough, SharedReading, Source, weights};

/// A [`ClientStore`] that caches another one.
pub type CachedClientStore = ReadThrough<Clients>;

pub struct Clients {
    pub(crate) store: Arc<dyn ClientStore>,
    pub(crate) shared: SharedRows,
    /// The tenants limit how long clients may be served stale.
    pub(crate) tenants: Arc<CachedTenantStore>,
}

#[async_trait]
impl ClientStore for CachedClientStore {
    async fn find_client(&self, tenant: &TenantId, client: &ClientId) -> Stored<Option<Arc<Client>>> {
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

    fn name((tenant, id): &Self::Key) -> (&TenantId, &str) {
        (tenant, id.as_str())
    }

    async fn load(&self, (tenant, id): &Self::Key) -> Stored<SharedReading<Client>> {
        let load = async {
            let found = self.store.find_client(tenant, id).await?;
            checked((tenant, id.as_str()), found, |client| (&client.tenant, client.id.as_str()))
        };
        self.shared.read(&Invalidation::Client(tenant.clone(), id.clone()), load).await
    }

    fn stale_if_error(&self, tenant: &TenantId, _: &Client) -> Duration {
        self.tenants.rows_stale_if_error(tenant)
    }
}

#[cfg(test)]
mod tests {
    use testkit::{TestStore, fixtures};

    use super::*;
    use crate::Freshness;
    use crate::tenant_store::Tenants;

    // [limits #41]: memory for cached rows of a replica | 16 MiB of tenants, 64 MiB of clients, 48 MiB of
    //   sealed keys, 128 MiB of opened keys | in a full cache a tenant above an equal share gives up its own
    //   oldest entries; otherwise the least used of all
    // [found 7]: The cost of a tenant had no bound: caches were counted in entries, ended secrets stayed for
    //   ever, lists and writes had no limit | fixed | Caches are bounded in bytes; a client's document has at
    //   most 128 KiB, a list 100 entries, a tenant `limits.clients`; an hourly pass deletes secrets that
    //   ended more than 30 days ago, except the newest 20 of each client; writes of administrators a minute
    //   are limited. Existing rows stay valid; `check` lists those that files declare, and with `--rows`
    //   those of the store. What stays: one tenant's share of the caches is not bounded
    /// The store has 100 clients of 60 KiB, of which four fit into the cache, and 100 typical clients, which
    /// all fit.
    #[tokio::test]
    async fn fat_clients_do_not_evict_thin_ones() {
        const ROOM: u64 = 256 * 1024;
        let freshness = Freshness::default();
        let shared = SharedRows { redis: None, freshness };
        let store = Arc::new(TestStore::new());
        for tenant in ["acme", "globex"].map(fixtures::tenant) {
            store.put_tenant(tenant.clone());
            let thin = |nth| fixtures::client(&tenant, &format!("thin-{nth}"));
            let fat = |nth| Client {
                audiences: (0..30).map(|audience| format!("{audience:02000}")).collect(),
                ..fixtures::client(&tenant, &format!("fat-{nth}"))
            };
            store.put_clients(&(0..100).flat_map(|nth| [fat(nth), thin(nth)]).collect::<Vec<_>>());
            let tenants = Tenants { store: store.clone(), shared: shared.clone() };
            let tenants = Arc::new(ReadThrough::new(tenants, 1 << 20, freshness));
            let clients = Clients { store: store.clone(), shared: shared.clone(), tenants };
            let clients = ReadThrough::new(clients, ROOM, freshness);
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
