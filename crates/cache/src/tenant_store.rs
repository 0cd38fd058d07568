//! Cached tenants. A cached tenant also limits how long its clients and keys may be served stale.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use async_trait::async_trait;
use keys::life_cycle::KeyPolicy;
use tenancy::{Stored, Tenant, TenantId, TenantStore};
use values::Lifetime;

use crate::read_through::checked;
use crate::shared::SharedRows;
use crate::{ReadThrough, SharedReading, Source, weights};

/// A [`TenantStore`] that caches another one.
pub type CachedTenantStore = ReadThrough<Tenants>;

pub struct Tenants {
    pub(crate) store: Arc<dyn TenantStore>,
    pub(crate) shared: SharedRows,
}

impl CachedTenantStore {
    /// How long this tenant's rows may be served while the store is unavailable. Zero if the tenant is not in
    /// memory: its limit is unknown, and its requests are refused anyway.
    pub(crate) fn rows_stale_if_error(&self, tenant: &TenantId) -> Duration {
        self.peek(tenant).map_or(Duration::ZERO, |tenant| seconds(tenant.stale_if_error))
    }

    /// How long this tenant's keys may be served while the store is unavailable. This can be shorter than for
    /// other rows, because other replicas announce and activate new keys.
    pub(crate) fn keys_stale_if_error(&self, tenant: &TenantId) -> Duration {
        let fresh = self.source.shared.freshness.lifetime();
        self.peek(tenant).map_or(Duration::ZERO, |tenant| seconds(KeyPolicy::stale_if_error(&tenant, fresh)))
    }
}

#[async_trait]
impl TenantStore for CachedTenantStore {
    async fn find_tenant(&self, tenant: &TenantId) -> Stored<Option<Arc<Tenant>>> {
        self.get(tenant).await
    }

    fn has_at_hand(&self, tenant: &TenantId) -> bool {
        self.peek(tenant).is_some()
    }
}

#[async_trait]
impl Source for Tenants {
    type Key = TenantId;
    type Value = Tenant;

    const NAME: &'static str = "tenants";

    fn bytes(key: &TenantId, tenant: Option<&Tenant>) -> usize {
        weights::entry(key.as_str().len(), tenant.map_or(0, weights::of))
    }

    fn name(key: &TenantId) -> (&TenantId, &str) {
        (key, "")
    }

    async fn load(&self, key: &TenantId) -> Stored<SharedReading<Tenant>> {
        let load =
            async { checked((key, ""), self.store.find_tenant(key).await?, |tenant| (&tenant.id, "")) };
        self.shared.read(&Invalidation::Tenant(key.clone()), load).await
    }

    fn stale_if_error(&self, _: &TenantId, tenant: &Tenant) -> Duration {
        seconds(tenant.stale_if_error)
    }
}

fn seconds(lifetime: Lifetime) -> Duration {
    Duration::from_secs(lifetime.seconds())
}
