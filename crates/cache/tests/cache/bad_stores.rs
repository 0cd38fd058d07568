//! Stores with defects: one that answers with something else than was asked for, and one that panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use cache::{CachedClientStore, CachedTenantStore, Freshness};
use registry::{Client, ClientId, ClientStore};
use tenancy::{StoreError, Tenant, TenantId, TenantStore};
use testkit::fixtures;

/// Answers every question with globex and its client.
struct Confused;

#[async_trait]
impl TenantStore for Confused {
    async fn find_tenant(&self, _: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        Ok(Some(Arc::new(fixtures::tenant("globex"))))
    }
}

#[async_trait]
impl ClientStore for Confused {
    async fn find_client(&self, _: &TenantId, _: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(Some(Arc::new(fixtures::client(&fixtures::tenant("globex"), "svc"))))
    }
}

/// Panics so many times, then answers.
struct Panicking(AtomicU64);

#[async_trait]
impl TenantStore for Panicking {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "made to panic");
        Ok(Some(Arc::new(fixtures::tenant(tenant.as_str()))))
    }
}

/// Bytes, and more than are needed here.
const ROOM: u64 = 1 << 20;

#[tokio::test]
async fn a_store_that_answers_with_something_else_is_not_believed() {
    let tenants = Arc::new(CachedTenantStore::new(Arc::new(Confused), ROOM, Freshness::default()));
    let clients =
        CachedClientStore::new(Arc::new(Confused), Arc::clone(&tenants), ROOM, Freshness::default());
    let tenant = async |id| tenants.find_tenant(&fixtures::tenant_id(id)).await;
    let client =
        async |id, name| clients.find_client(&fixtures::tenant_id(id), &fixtures::client_id(name)).await;
    for _ in 0..2 {
        assert!(tenant("globex").await.is_ok());
        assert!(matches!(tenant("acme").await, Err(StoreError::Fault(_))));
        assert!(client("globex", "svc").await.is_ok());
        assert!(matches!(client("acme", "svc").await, Err(StoreError::Fault(_))));
        assert!(matches!(client("globex", "other").await, Err(StoreError::Fault(_))));
    }
}

#[tokio::test]
async fn an_abandoned_load_is_begun_again_once() {
    for (panics, answered) in [(1, true), (2, false)] {
        let tenants =
            CachedTenantStore::new(Arc::new(Panicking(AtomicU64::new(panics))), ROOM, Freshness::default());
        let acme = fixtures::tenant_id("acme");
        assert_eq!(tenants.find_tenant(&acme).await.is_ok(), answered);
        assert!(tenants.find_tenant(&acme).await.is_ok(), "nothing of it is left behind");
    }
}
