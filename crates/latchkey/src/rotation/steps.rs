//! What the scheduler asks for of each tenant.

use std::sync::Arc;

use administration::{AdministrationStore, Administrator, EditError};
use async_trait::async_trait;
use protocol::{SigningAlgorithm, Timestamp};
use tenancy::TenantId;

/// Takes a step of a tenant's keys.
#[async_trait]
pub(crate) trait Steps: Send + Sync {
    /// What time and policy ask for now. Says what the new key signs with, if one was made.
    async fn step(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<SigningAlgorithm>, EditError>;
}

/// The platform's own.
pub(crate) struct Advancing {
    pub(crate) administrator: Arc<Administrator>,
    pub(crate) store: Arc<dyn AdministrationStore>,
}

#[async_trait]
impl Steps for Advancing {
    async fn step(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<SigningAlgorithm>, EditError> {
        self.administrator.advance_keys(tenant, now).await?;
        // A key that this step has made is announced at this very instant.
        let state = self.store.load_keys(tenant).await?;
        let newest = state.and_then(|state| state.records.keys.into_iter().max_by_key(|key| key.id));
        Ok(newest.filter(|key| key.announced_at == now).map(|key| key.algorithm))
    }
}
