//! The store that tenancy needs, and the errors of all stores.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Tenant, TenantId};

/// Finds tenants. "Not found" is `Ok(None)`: the caller decides what it means.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// The tenant of this id, in any status.
    async fn find_tenant(&self, tenant: &TenantId) -> Stored<Option<Arc<Tenant>>>;

    /// Whether the tenant is known to exist, without reading anything. A store without a memory returns true
    /// for all names.
    fn has_at_hand(&self, _: &TenantId) -> bool {
        true
    }
}

/// Finds the pictures of tenants.
#[async_trait]
pub trait LogoStore: Send + Sync {
    /// The bytes of the tenant's logo with this digest, as long as the tenant shows it.
    async fn find_logo(&self, tenant: &TenantId, hash: &str) -> Stored<Option<Arc<Vec<u8>>>>;
}

/// The history of a store. Positions of its log can be compared within one history only: a failover may lose
/// transactions and a restore goes back, and then the same numbers name other changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History(pub i64);

/// A store failed. The cause is for the log; callers of the platform see neither.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is unreachable or busy: the request may be repeated (503).
    #[error("the store is unavailable")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The store gave an invalid answer (500).
    #[error("the store failed")]
    Fault(#[source] Arc<dyn Error + Send + Sync>),
}

/// A commit was sent and got no answer, so the change may have been done.
#[derive(Debug, thiserror::Error)]
#[error("the store did not answer a commit, so the change may have been done")]
struct UnknownOutcome(#[source] Box<dyn Error + Send + Sync>);

pub type Stored<T> = Result<T, StoreError>;

impl StoreError {
    /// Creates a fault from its cause.
    pub fn fault(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Fault(Arc::from(cause.into()))
    }

    /// Creates an unavailability from its cause.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    /// Creates the unavailability of a store that did not answer a commit.
    pub fn unknown_outcome(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::unavailable(UnknownOutcome(cause.into()))
    }

    /// Whether the change may have been done all the same.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.is::<UnknownOutcome>())
    }
}
