//! What tenancy asks of a store, and how any store fails.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Tenant, TenantId};

/// Finds tenants. "Not found" is `Ok(None)`: the caller knows what it means.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// The tenant of this id, in whatever status.
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError>;
}

/// A store did not answer. The cause is for the log; callers of the platform see neither.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or is too busy: the request may be tried again (503).
    #[error("the store is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// It answered with something that should not be (500).
    #[error("the store failed")]
    Fault(#[source] Arc<dyn Error + Send + Sync>),
}

impl StoreError {
    /// A fault with its cause.
    pub fn fault(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Fault(Arc::from(cause.into()))
    }

    /// An absence with its cause.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }
}
