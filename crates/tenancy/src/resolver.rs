//! The first step of every request: finds the tenant that the path names.

use std::sync::Arc;

use values::Timestamp;

use crate::{StoreError, Tenant, TenantId, TenantStatus, TenantStore};

#[derive(Clone)]
pub struct TenantResolver {
    store: Arc<dyn TenantStore>,
}

#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The name is malformed or unknown. Callers cannot distinguish it from the next two.
    #[error("unknown tenant")]
    Unknown,
    #[error("the tenant is suspended")]
    Suspended(Arc<Tenant>),
    /// The tenant does not offer OAuth, or does not offer sign-in.
    #[error("the tenant has not enabled the strategy")]
    StrategyNotEnabled(Arc<Tenant>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TenantResolver {
    /// The store may be a cache.
    #[must_use]
    pub fn new(store: Arc<dyn TenantStore>) -> Self {
        Self { store }
    }

    /// Whether the tenant is known to exist without reading the store.
    #[must_use]
    pub fn has_at_hand(&self, tenant: &TenantId) -> bool {
        self.store.has_at_hand(tenant)
    }

    /// The active tenant with this name.
    ///
    /// # Errors
    /// [`TenantError::Unknown`] for an unknown name, without reading the store if the name is malformed;
    /// [`TenantError::Suspended`].
    pub async fn resolve(&self, name: &str) -> Result<Arc<Tenant>, TenantError> {
        let tenant = self.find(name).await?;
        if tenant.is_active() { Ok(tenant) } else { Err(TenantError::Suspended(tenant)) }
    }

    /// The tenant with this name, if it offers OAuth.
    ///
    /// # Errors
    /// The errors of [`TenantResolver::resolve`], and [`TenantError::StrategyNotEnabled`].
    pub async fn resolve_authorization_server(&self, name: &str) -> Result<Arc<Tenant>, TenantError> {
        let tenant = self.resolve(name).await?;
        if tenant.strategies.oauth2 { Ok(tenant) } else { Err(TenantError::StrategyNotEnabled(tenant)) }
    }

    /// The tenant with this name, if it offers sign-in.
    ///
    /// # Errors
    /// The errors of [`TenantResolver::resolve_authorization_server`].
    pub async fn resolve_openid_provider(&self, name: &str) -> Result<Arc<Tenant>, TenantError> {
        let tenant = self.resolve_authorization_server(name).await?;
        if tenant.strategies.oidc { Ok(tenant) } else { Err(TenantError::StrategyNotEnabled(tenant)) }
    }

    /// The tenant with this name, if verifiers may still need its keys. A suspended tenant's keys stay
    /// published until its last token has expired.
    ///
    /// # Errors
    /// The errors of [`TenantResolver::resolve`].
    pub async fn resolve_key_publisher(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<Arc<Tenant>, TenantError> {
        let tenant = self.find(name).await?;
        match tenant.status {
            TenantStatus::Active => Ok(tenant),
            TenantStatus::Suspended { keys_published_until } if now < keys_published_until => Ok(tenant),
            TenantStatus::Suspended { .. } => Err(TenantError::Suspended(tenant)),
        }
    }

    async fn find(&self, name: &str) -> Result<Arc<Tenant>, TenantError> {
        let id = TenantId::parse(name).map_err(|_| TenantError::Unknown)?;
        self.store.find_tenant(&id).await?.ok_or(TenantError::Unknown)
    }
}
