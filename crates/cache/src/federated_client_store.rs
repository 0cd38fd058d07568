//! Cached answers to the question which client an assertion of another issuer is of. A change of any client
//! of the tenant invalidates them. Anybody can ask for any subject, so an absent answer is one entry like
//! that of an unknown client.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use registry::{FederatedClientStore, FederatedClients, ForeignSubject};
use tenancy::{StoreError, Stored, TenantId};
use tokio::time::Instant;

use crate::{CachedTenantStore, ReadThrough, SharedReading, Source, weights};

/// A cache before another [`FederatedClientStore`].
pub type CachedFederatedClientStore = ReadThrough<FederatedSubjects>;

/// The rules in a store.
pub struct FederatedSubjects {
    pub(crate) store: Arc<dyn FederatedClientStore>,
    /// They limit how long answers may serve stale.
    pub(crate) tenants: Arc<CachedTenantStore>,
}

#[async_trait]
impl FederatedClientStore for CachedFederatedClientStore {
    async fn find_federated_clients(
        &self,
        tenant: &TenantId,
        subject: &ForeignSubject,
    ) -> Stored<Option<Arc<FederatedClients>>> {
        self.get(&(tenant.clone(), subject.clone())).await
    }
}

#[async_trait]
impl Source for FederatedSubjects {
    type Key = (TenantId, ForeignSubject);
    type Value = FederatedClients;

    const NAME: &'static str = "subjects of other issuers";

    fn bytes((tenant, subject): &Self::Key, found: Option<&FederatedClients>) -> usize {
        let found = found.and_then(|found| found.client.as_ref()).map_or(0, |client| client.as_str().len());
        weights::entry(tenant.as_str().len() + subject.as_str().len(), found)
    }

    fn name((tenant, subject): &Self::Key) -> (&TenantId, &str) {
        (tenant, subject.as_str())
    }

    async fn load(&self, (tenant, subject): &Self::Key) -> Stored<SharedReading<FederatedClients>> {
        let at = Instant::now();
        let value = self.store.find_federated_clients(tenant, subject).await?;
        if let Some(FederatedClients { tenant: owner, .. }) = value.as_deref()
            && owner != tenant
        {
            let fault = format!("the store answered with rules of {owner} instead of {tenant}");
            return Err(StoreError::fault(fault));
        }
        Ok(SharedReading { value, at, is_shared: false })
    }

    fn stale_if_error(&self, tenant: &TenantId, _: &FederatedClients) -> Duration {
        self.tenants.rows_stale_if_error(tenant)
    }
}
