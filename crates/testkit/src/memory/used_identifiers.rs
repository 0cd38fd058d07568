//! Identifiers that were used.

use async_trait::async_trait;
use protocol::Timestamp;
use registry::{ReplayGuard, SingleUseIdentifier};
use tenancy::{StoreError, TenantId};

use super::MemoryStore;

#[async_trait]
impl ReplayGuard for MemoryStore {
    async fn record_use(
        &self,
        tenant: &TenantId,
        identifier: &SingleUseIdentifier,
    ) -> Result<bool, StoreError> {
        let SingleUseIdentifier { digest, expires_at } = *identifier;
        self.answer(&self.calls.record_use, |rows| {
            let key = (tenant.clone(), digest);
            let is_first = !rows.used_identifiers.contains_key(&key);
            if is_first {
                rows.used_identifiers.insert(key, expires_at);
            }
            is_first
        })
        .await
    }

    async fn is_used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Result<bool, StoreError> {
        let key = (tenant.clone(), identifier.digest);
        self.answer(&self.calls.is_used, |rows| rows.used_identifiers.contains_key(&key)).await
    }

    async fn delete_expired_identifiers(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.administer(|rows| {
            let before = rows.used_identifiers.len();
            rows.used_identifiers.retain(|_, expires_at| *expires_at > now);
            (before - rows.used_identifiers.len()) as u64
        })
        .await
    }
}
