//! The store of all sealed data.

use async_trait::async_trait;
use keys::{KeyAlgorithm, KeyId};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::declaration::fingerprint::Fingerprint;

#[async_trait]
pub trait SealedItems: Send + Sync {
    /// A page of all sealed items after a place, in the order of the places, without expired ones. A page may
    /// have fewer items than requested; an empty page is the last.
    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Stored<Vec<(SealedPlace, Vec<u8>)>>;

    /// Replaces the sealed bytes of a place if they still equal `old`. Returns whether it did.
    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Stored<bool>;

    async fn find_sealed(&self, name: &str) -> Stored<Option<Vec<u8>>>;

    /// Stores a sealed value unless a value with this name exists. Returns whether it did.
    async fn put_sealed_if_absent(&self, name: &str, sealed: &[u8], now: Timestamp) -> Stored<bool>;

    /// The sealed digest keys of tenants that were moved here from other installations.
    async fn tenant_keys(&self) -> Stored<Vec<(TenantId, Vec<u8>)>>;

    async fn holds_sealed_rows(&self) -> Stored<bool>;
}

/// The name of a sealed value with this prefix means that it is the digest key of a tenant.
pub const TENANT_KEY: &str = "tenant key ";

/// The name of the sealed value with a tenant's digest key.
#[must_use]
pub fn tenant_key_name(tenant: &TenantId) -> String {
    format!("{TENANT_KEY}{tenant}")
}

/// The place of a sealed value. All sealed data needs a place here: data without a place becomes unreadable
/// when a previous sealing key is removed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedPlace {
    /// A private key, unless it is destroyed.
    SigningKey {
        tenant: TenantId,
        id: KeyId,
        /// What the key does. The seal is bound to it.
        algorithm: KeyAlgorithm,
    },
    /// A value of the installation, by its name.
    Named(String),
    /// The files of a generation.
    Sources {
        generation: u64,
        /// The applied content. The seal is bound to it.
        content: Fingerprint,
    },
    /// The answer under an idempotency key.
    IdempotentAnswer {
        /// See [`crate::store::IdempotentAnswer::tenant`].
        tenant: TenantId,
        /// See [`crate::store::IdempotentAnswer::key`].
        key: [u8; 32],
    },
}
