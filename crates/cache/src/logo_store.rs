//! Cached logos. They are in this process only. The logo of a digest never changes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tenancy::{LogoStore, Stored, TenantId};
use tokio::time::Instant;

use crate::{ReadThrough, SharedReading, Source, weights};

/// A cache before another [`LogoStore`].
pub type CachedLogoStore = ReadThrough<Logos>;

/// The logos of a store.
pub struct Logos {
    pub(crate) store: Arc<dyn LogoStore>,
}

#[async_trait]
impl LogoStore for CachedLogoStore {
    async fn find_logo(&self, tenant: &TenantId, hash: &str) -> Stored<Option<Arc<Vec<u8>>>> {
        self.get(&(tenant.clone(), hash.to_owned())).await
    }
}

#[async_trait]
impl Source for Logos {
    type Key = (TenantId, String);
    type Value = Vec<u8>;

    const NAME: &'static str = "logos";

    fn bytes((tenant, hash): &Self::Key, content: Option<&Vec<u8>>) -> usize {
        weights::entry(tenant.as_str().len() + hash.len(), content.map_or(0, Vec::len))
    }

    fn name((tenant, hash): &Self::Key) -> (&TenantId, &str) {
        (tenant, hash)
    }

    async fn load(&self, (tenant, hash): &Self::Key) -> Stored<SharedReading<Vec<u8>>> {
        let at = Instant::now();
        Ok(SharedReading { value: self.store.find_logo(tenant, hash).await?, at, is_shared: false })
    }

    /// The tenant's row, which has its own limit, decides whether the tenant shows the logo.
    fn stale_if_error(&self, _: &TenantId, _: &Vec<u8>) -> Duration {
        Duration::from_hours(24)
    }
}
