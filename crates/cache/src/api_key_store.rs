//! Cached API keys by tenant and name: a name of another tenant is never a key of this one.

use std::sync::Arc;
use std::time::Duration;

use administration::Invalidation;
use async_trait::async_trait;
use registry::{ApiKey, ApiKeyId, ApiKeyStore};
use tenancy::{StoreError, Stored, TenantId};

use crate::shared::SharedRows;
use crate::{CachedTenantStore, ReadThrough, SharedReading, Source, weights};

/// A cache before another [`ApiKeyStore`].
pub type CachedApiKeyStore = ReadThrough<ApiKeyRows>;

/// The API keys of a store.
pub struct ApiKeyRows {
    pub(crate) store: Arc<dyn ApiKeyStore>,
    pub(crate) shared: SharedRows,
    /// They limit how long keys may serve stale.
    pub(crate) tenants: Arc<CachedTenantStore>,
}

#[async_trait]
impl ApiKeyStore for CachedApiKeyStore {
    async fn find_api_key(&self, tenant: &TenantId, key: &ApiKeyId) -> Stored<Option<Arc<ApiKey>>> {
        self.get(&(tenant.clone(), key.clone())).await
    }
}

#[async_trait]
impl Source for ApiKeyRows {
    type Key = (TenantId, ApiKeyId);
    type Value = ApiKey;

    const NAME: &'static str = "API keys";

    fn bytes((tenant, id): &Self::Key, key: Option<&ApiKey>) -> usize {
        weights::entry(tenant.as_str().len() + id.as_str().len(), key.map_or(0, weights::of))
    }

    fn name((tenant, id): &Self::Key) -> (&TenantId, &str) {
        (tenant, id.as_str())
    }

    async fn load(&self, (tenant, id): &Self::Key) -> Stored<SharedReading<ApiKey>> {
        let load = async {
            let found = self.store.find_api_key(tenant, id).await?;
            match found.as_deref().filter(|key| key.tenant != *tenant || key.id != *id) {
                Some(ApiKey { tenant: owner, id: answered, .. }) => Err(StoreError::fault(format!(
                    "the store answered with API key {answered} of {owner} instead of {id} of {tenant}"
                ))),
                None => Ok(found),
            }
        };
        self.shared.read(&Invalidation::ApiKey(tenant.clone(), id.clone()), load).await
    }

    /// A key serves stale as long as its client: every use checks the end of the key.
    fn stale_if_error(&self, tenant: &TenantId, _: &ApiKey) -> Duration {
        self.tenants.rows_stale_if_error(tenant)
    }
}
