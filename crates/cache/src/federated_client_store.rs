//! Caches which client an assertion of another issuer belongs to. A change of any client of the tenant
//! invalidates all entries of the tenant. Anybody can ask for any subject, so a negative result is cached
//! like that of an unknown client.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use registry::{FederatedClientStore, FederatedClients, ForeignSubject};
use tenancy::{Stored, TenantId};
use tokio::time::Instant;

use crate::read_through::checked;
use crate::{CachedTenantStore, ReadThrough, SharedReading, Source, weights};

/// A [`FederatedClientStore`] that caches another one.
pub type CachedFederatedClientStore = ReadThrough<FederatedSubjects>;

pub struct FederatedSubjects {
    pub(crate) store: Arc<dyn FederatedClientStore>,
    /// The tenants limit how long results may be served stale.
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
        let found = self.store.find_federated_clients(tenant, subject).await?;
        let value = checked((tenant, ""), found, |rules| (&rules.tenant, ""))?;
        Ok(SharedReading { value, at, is_shared: false })
    }

    fn stale_if_error(&self, tenant: &TenantId, _: &FederatedClients) -> Duration {
        self.tenants.rows_stale_if_error(tenant)
    }
}
