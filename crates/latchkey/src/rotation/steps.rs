//! What the scheduler asks for of each tenant.

use administration::{Administrator, EditError};
use async_trait::async_trait;
use keys::KeySpec;
use protocol::Timestamp;
use tenancy::TenantId;

/// Takes a step of a tenant's keys.
#[async_trait]
pub(crate) trait Steps: Send + Sync {
    /// What time and policy ask for now. Says which key was made, if one was.
    async fn step(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<KeySpec>, EditError>;
}

#[async_trait]
impl Steps for Administrator {
    async fn step(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<KeySpec>, EditError> {
        Ok(self.advance_keys(tenant, now).await?.announced)
    }
}
