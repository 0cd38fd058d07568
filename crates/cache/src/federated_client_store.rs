//! Cached rules of a tenant's clients over assertions of other issuers. A change of any client of the tenant
//! invalidates them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use registry::{FederatedClientStore, FederatedClients};
use tenancy::{StoreError, TenantId};
use tokio::time::Instant;

use crate::{CachedTenantStore, ReadThrough, Reading, Source, weights};

/// A cache before another [`FederatedClientStore`].
pub type CachedFederatedClientStore = ReadThrough<FederatedRules>;

/// The rules in a store.
pub struct FederatedRules {
    pub(crate) store: Arc<dyn FederatedClientStore>,
    /// They limit how long rules may serve stale.
    pub(crate) tenants: Arc<CachedTenantStore>,
}

#[async_trait]
impl FederatedClientStore for CachedFederatedClientStore {
    async fn find_federated_clients(&self, tenant: &TenantId) -> Result<Arc<FederatedClients>, StoreError> {
        let found = self.get(tenant).await?;
        found.ok_or_else(|| StoreError::fault("the rules of a tenant's clients are never absent"))
    }
}

#[async_trait]
impl Source for FederatedRules {
    type Key = TenantId;
    type Value = FederatedClients;

    const NAME: &'static str = "rules of clients";

    fn bytes(tenant: &TenantId, rules: Option<&FederatedClients>) -> usize {
        weights::entry(tenant.as_str().len(), rules.map_or(0, |rules| rules.bytes))
    }

    fn name(tenant: &TenantId) -> (&TenantId, &str) {
        (tenant, "")
    }

    async fn load(&self, tenant: &TenantId) -> Result<Reading<FederatedClients>, StoreError> {
        let at = Instant::now();
        let value = self.store.find_federated_clients(tenant).await?;
        if value.tenant != *tenant {
            let owner = &value.tenant;
            let fault = format!("the store answered with rules of {owner} instead of {tenant}");
            return Err(StoreError::fault(fault));
        }
        Ok(Reading { value: Some(value), at })
    }

    fn stale_if_error(&self, tenant: &TenantId, _: &FederatedClients) -> Duration {
        self.tenants.rows_stale_if_error(tenant)
    }
}
