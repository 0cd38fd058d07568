//! The store that key management needs.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{Stored, TenantId};

use crate::{KeyRecord, KeyRecords, Kid};

/// Stores sealed signing keys.
#[async_trait]
pub trait SigningKeyStore: Send + Sync {
    /// The keys of the tenant, without their public halves. Keys whose private key is destroyed are left out.
    /// A tenant without keys has an empty list and a counter of 1.
    async fn find_keys(&self, tenant: &TenantId) -> Stored<Arc<KeyRecords>>;

    /// One key with its public half, even if its private key is destroyed.
    async fn find_key(&self, tenant: &TenantId, key: Kid) -> Stored<Option<KeyRecord>>;

    /// Adds a key if its number is still the tenant's next one and no other tenant has or had the same key.
    /// Returns whether it was added: if two replicas add a first key concurrently, one of them must read
    /// again.
    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Stored<bool>;
}
