//! The store that key management needs.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::{KeyRecord, KeyRecords, Kid};

/// Stores sealed signing keys.
#[async_trait]
pub trait SigningKeyStore: Send + Sync {
    /// The keys of the tenant, except those whose private key is destroyed. A tenant without keys has none and a
    /// counter of 1. They are without their public halves.
    async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError>;

    /// One key, also one whose private key is destroyed, with its public half.
    async fn find_key(&self, tenant: &TenantId, key: Kid) -> Result<Option<KeyRecord>, StoreError>;

    /// Adds a key if its number is still the tenant's next one and no other tenant has or had the same key, and
    /// returns whether it was added: of two replicas that add a first key concurrently, one must read again.
    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError>;
}
