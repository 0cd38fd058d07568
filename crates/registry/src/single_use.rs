//! Uses identifiers up, within each tenant's share: of uses at the same time, at all replicas, one counts.

use std::sync::Arc;

use protocol::Timestamp;
use tenancy::{StoreError, TenantId};

use crate::live_identifiers::{LiveIdentifiers, SHARE};
use crate::{ReplayGuard, SingleUseIdentifier};

/// The identifiers of one kind.
pub(crate) struct SingleUse {
    guard: Arc<dyn ReplayGuard>,
    live: LiveIdentifiers,
}

/// Why an identifier is not used up.
#[derive(Debug, thiserror::Error)]
pub enum SingleUseError {
    /// It was used before.
    #[error("the identifier was used before")]
    Replayed,
    /// As many of the tenant as are remembered have not expired yet.
    #[error("too many identifiers of the tenant have not expired yet")]
    ShareUsedUp,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SingleUse {
    pub(crate) fn new(guard: Arc<dyn ReplayGuard>) -> Self {
        Self { guard, live: LiveIdentifiers::new(SHARE) }
    }

    /// Whether an identifier was used, which uses nothing up.
    pub(crate) async fn is_used(
        &self,
        tenant: &TenantId,
        identifier: &SingleUseIdentifier,
    ) -> Result<bool, StoreError> {
        self.guard.is_used(tenant, identifier).await
    }

    pub(crate) async fn use_up(
        &self,
        tenant: &TenantId,
        identifier: &SingleUseIdentifier,
        now: Timestamp,
    ) -> Result<(), SingleUseError> {
        if !self.live.take(tenant, identifier.expires_at, now) {
            return Err(SingleUseError::ShareUsedUp);
        }
        let is_first = self.guard.record_use(tenant, identifier).await?;
        if is_first { Ok(()) } else { Err(SingleUseError::Replayed) }
    }
}
