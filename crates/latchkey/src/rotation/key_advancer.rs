//! What the scheduler asks for of each tenant.

use administration::{Administrator, EditError};
use async_trait::async_trait;
use keys::KeySpec;
use protocol::Timestamp;
use tenancy::TenantId;

/// Takes a step of a tenant's keys.
#[async_trait]
pub(crate) trait KeyAdvancer: Send + Sync {
    /// What time and policy ask for now. Says which key was made, if one was.
    async fn advance_keys(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<KeySpec>, EditError>;
}

#[async_trait]
impl KeyAdvancer for Administrator {
    async fn advance_keys(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<KeySpec>, EditError> {
        Ok(Administrator::advance_keys(self, tenant, now).await?.announced)
    }
}
