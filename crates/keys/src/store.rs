//! What key management asks of a store.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::{KeyRecord, KeyRecords};

/// Holds sealed signing keys.
#[async_trait]
pub trait SigningKeyStore: Send + Sync {
    /// All keys of the tenant but those whose private half is destroyed; none and a counter of 1 for a tenant that never had one.
    async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError>;

    /// Adds a key if its number is still the tenant's next one, and returns whether it was added: of two replicas
    /// that add a first key concurrently, one must read again.
    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError>;
}
