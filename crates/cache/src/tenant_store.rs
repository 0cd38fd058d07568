//! Cached tenants. A cached tenant also limits how long its clients and keys may serve stale.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keys::life_cycle::KeyPolicy;
use protocol::Lifetime;
use tenancy::{StoreError, Tenant, TenantId, TenantStore};

use crate::shared::{self, SharedItem};
use crate::{Counts, Freshness, ReadThrough, Reading, RedisCache, Source, weights};

/// A cache before another [`TenantStore`].
pub struct CachedTenantStore {
    tenants: ReadThrough<Tenants>,
}

/// The store returned another tenant than the requested one.
#[derive(Debug, thiserror::Error)]
#[error("asked for tenant {requested}, the store answered with {answered}")]
struct WrongTenant {
    requested: TenantId,
    answered: TenantId,
}

struct Tenants {
    store: Arc<dyn TenantStore>,
    redis: Option<Arc<RedisCache>>,
    freshness: Freshness,
}

impl CachedTenantStore {
    /// Creates a cache with room for this many bytes of tenants, existing or not.
    #[must_use]
    pub fn new(store: Arc<dyn TenantStore>, capacity: u64, freshness: Freshness) -> Self {
        Self::shared(store, None, capacity, freshness)
    }

    /// Creates a cache that shares rows with other replicas.
    pub(crate) fn shared(
        store: Arc<dyn TenantStore>,
        redis: Option<Arc<RedisCache>>,
        capacity: u64,
        freshness: Freshness,
    ) -> Self {
        Self { tenants: ReadThrough::new(Tenants { store, redis, freshness }, capacity, freshness) }
    }

    /// Drops a tenant.
    pub fn invalidate(&self, tenant: &TenantId) {
        self.tenants.invalidate_tenant(tenant);
    }

    /// How long this tenant's rows may serve while the store is unavailable. Zero for a tenant that is not in memory:
    /// its limit is not known, and the resolver refuses its requests anyway.
    #[must_use]
    pub fn stale_if_error(&self, tenant: &TenantId) -> Duration {
        self.tenants.peek(tenant).map_or(Duration::ZERO, |tenant| allowance(&tenant))
    }

    /// How long its keys may serve while the store is unavailable. This can be shorter, because other replicas
    /// announce and activate new keys.
    pub(crate) fn keys_stale_if_error(&self, tenant: &TenantId, freshness: Freshness) -> Duration {
        let allowance = |tenant: Arc<Tenant>| KeyPolicy::stale_if_error(&tenant, freshness.lifetime());
        self.tenants.peek(tenant).map_or(Duration::ZERO, |tenant| seconds(allowance(tenant)))
    }

    /// The counters since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tenants.counts()
    }

    /// Whether any tenant may serve now if the store is unavailable.
    pub(crate) fn may_serve_stale(&self) -> bool {
        self.tenants.may_serve_stale()
    }

    /// Whether the last load found the store unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.tenants.is_degraded()
    }
}

#[async_trait]
impl TenantStore for CachedTenantStore {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        self.tenants.get(tenant).await
    }
}

#[async_trait]
impl Source for Tenants {
    type Key = TenantId;
    type Value = Tenant;

    const NAME: &'static str = "tenants";

    fn bytes(key: &TenantId, tenant: Option<&Tenant>) -> usize {
        weights::entry(key.as_str().len(), tenant.map_or(0, weights::of_tenant))
    }

    fn tenant_of(key: &TenantId) -> &TenantId {
        key
    }

    async fn load(&self, key: &TenantId) -> Result<Reading<Tenant>, StoreError> {
        shared::read(self.redis.as_ref(), self.freshness, SharedItem::Tenant(key), self.find(key)).await
    }

    fn stale_if_error(&self, _: &TenantId, tenant: &Tenant) -> Duration {
        allowance(tenant)
    }
}

impl Tenants {
    async fn find(&self, key: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        let found = self.store.find_tenant(key).await?;
        match &found {
            Some(tenant) if tenant.id != *key => {
                Err(StoreError::fault(WrongTenant { requested: key.clone(), answered: tenant.id.clone() }))
            }
            Some(_) | None => Ok(found),
        }
    }
}

fn allowance(tenant: &Tenant) -> Duration {
    seconds(tenant.stale_if_error)
}

fn seconds(lifetime: Lifetime) -> Duration {
    Duration::from_secs(lifetime.seconds())
}
