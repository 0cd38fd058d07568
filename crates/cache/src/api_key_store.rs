//! Cached API keys by tenant and name.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use async_trait::async_trait;
use registry::{ApiKey, ApiKeyId, ApiKeyStore};
use tenancy::{Stored, TenantId};

use crate::read_through::checked;
use crate::shared::SharedRows;
use crate::{CachedTenantStore, ReadThrough, SharedReading, Source, weights};

/// An [`ApiKeyStore`] that caches another one.
pub type CachedApiKeyStore = ReadThrough<ApiKeyRows>;

pub struct ApiKeyRows {
    pub(crate) store: Arc<dyn ApiKeyStore>,
    pub(crate) shared: SharedRows,
    /// The tenants limit how long keys may be served stale.
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
            checked((tenant, id.as_str()), found, |key| (&key.tenant, key.id.as_str()))
        };
        self.shared.read(&Invalidation::ApiKey(tenant.clone(), id.clone()), load).await
    }

    /// As long as clients: every use of a key checks its expiry.
    fn stale_if_error(&self, tenant: &TenantId, _: &ApiKey) -> Duration {
        self.tenants.rows_stale_if_error(tenant)
    }
}
