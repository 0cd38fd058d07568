//! The store that key management needs.

use std::sync::Arc;

use async_trait::async_trait;
use tenancy::{Stored, TenantId};

use crate::{KeyRecord, KeyRecords, Kid};

#[async_trait]
pub trait SigningKeyStore: Send + Sync {
    /// The tenant's keys, without their public JWKs. Destroyed keys are not included. A tenant without keys
    /// has an empty list and the next number 1.
    async fn find_keys(&self, tenant: &TenantId) -> Stored<Arc<KeyRecords>>;

    /// One key with its public JWK, even if its private key is destroyed.
    async fn find_key(&self, tenant: &TenantId, key: Kid) -> Stored<Option<KeyRecord>>;

    /// Adds a key if its number is still the tenant's next number and no other tenant has or had the same
    /// key. Returns whether the key was added. If two replicas add a first key at the same time, one of them
    /// gets `false` and must read the keys again.
    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Stored<bool>;
}
