//! A store with two tenants that have a client with the same name, and the caches in front of it.

use std::sync::Arc;

use cache::{Caches, Capacity, Freshness};
use registry::{Client, ClientStore as _};
use tenancy::{Stored, Tenant, TenantStore as _};
use testkit::{TestStore, fixtures};
use tokio::task::JoinHandle;

pub(crate) struct TestEnv {
    pub(crate) store: Arc<TestStore>,
    pub(crate) caches: Caches,
    pub(crate) acme: Tenant,
    pub(crate) globex: Tenant,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        Self::with(Freshness::default())
    }

    pub(crate) fn with(freshness: Freshness) -> Self {
        let store = Arc::new(TestStore::new());
        let (acme, globex) = (fixtures::tenant("acme"), fixtures::tenant("globex"));
        for tenant in [&acme, &globex] {
            store.put_tenant(tenant.clone());
            store.put_client(fixtures::client(tenant, "svc"));
        }
        let caches = Caches::new(store.clone(), None, Capacity::default(), freshness);
        Self { store, caches, acme, globex }
    }

    pub(crate) async fn tenant(&self, tenant: &Tenant) -> Stored<Option<Arc<Tenant>>> {
        self.caches.tenants.find_tenant(&tenant.id).await
    }

    pub(crate) async fn client(&self, tenant: &Tenant) -> Stored<Option<Arc<Client>>> {
        self.named_client(tenant, "svc").await
    }

    pub(crate) async fn named_client(&self, tenant: &Tenant, id: &str) -> Stored<Option<Arc<Client>>> {
        self.caches.clients.find_client(&tenant.id, &fixtures::client_id(id)).await
    }

    /// Renames the client in the store without notifying the caches.
    pub(crate) fn rename_client(&self, tenant: &Tenant, name: &str) {
        self.store.put_client(Client { name: name.to_owned(), ..fixtures::client(tenant, "svc") });
    }

    pub(crate) async fn client_name(&self, tenant: &Tenant) -> String {
        self.client(tenant).await.unwrap().unwrap().name.clone()
    }

    /// Reads the name of acme's client in a task.
    pub(crate) fn spawn_client_name(self: &Arc<Self>) -> JoinHandle<String> {
        let test_env = Arc::clone(self);
        tokio::spawn(async move { test_env.client_name(&test_env.acme).await })
    }
}
