//! The store that tenancy needs, and the errors of all stores.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Tenant, TenantId};

/// Finds tenants. Returns `Ok(None)` for an unknown tenant.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// The tenant with this id in any status.
    async fn find_tenant(&self, tenant: &TenantId) -> Stored<Option<Arc<Tenant>>>;

    /// Whether the tenant is known to exist without reading the store. A store without a cache returns `true`
    /// for all names.
    fn has_at_hand(&self, _: &TenantId) -> bool {
        true
    }
}

#[async_trait]
pub trait LogoStore: Send + Sync {
    /// The bytes of the tenant's logo with this digest, as long as the tenant uses it.
    async fn find_logo(&self, tenant: &TenantId, hash: &str) -> Stored<Option<Arc<Vec<u8>>>>;
}

/// The history of a store. Positions in its log are comparable only within one history: a failover may lose
/// transactions and a restore goes back in time, and then the same positions mean different changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History(pub i64);

/// The store failed. The cause is for the log and must not be sent to callers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is unreachable or busy. The request may be repeated (503).
    #[error("the store is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The store gave an invalid answer (500).
    #[error("the store failed")]
    Fault(#[source] Arc<dyn Error + Send + Sync>),
}

/// A commit was sent but not answered, so it may have been done.
#[derive(Debug, thiserror::Error)]
#[error("the store did not confirm a commit, so the change may have been saved")]
struct UnknownOutcome(#[source] Box<dyn Error + Send + Sync>);

pub type Stored<T> = Result<T, StoreError>;

impl StoreError {
    pub fn fault(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Fault(Arc::from(cause.into()))
    }

    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    /// The store did not answer a commit.
    pub fn unknown_outcome(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::unavailable(UnknownOutcome(cause.into()))
    }

    /// Whether the change may have been written although the store failed.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.is::<UnknownOutcome>())
    }
}
