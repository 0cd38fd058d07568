//! The step that the scheduler takes for each tenant.

use administration::administrator::Administrator;
use administration::edit::EditError;
use async_trait::async_trait;
use keys::KeySpec;
use tenancy::TenantId;
use values::Timestamp;

#[async_trait]
pub(crate) trait KeyAdvancer: Send + Sync {
    /// Takes the step that is due by time and policy. Returns the kind of the key that was announced, if any.
    async fn advance_keys(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<KeySpec>, EditError>;
}

#[async_trait]
impl KeyAdvancer for Administrator {
    async fn advance_keys(&self, tenant: &TenantId, now: Timestamp) -> Result<Option<KeySpec>, EditError> {
        Administrator::advance_keys(self, tenant, now).await
    }
}
