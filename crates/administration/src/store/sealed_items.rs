//! Everything that is sealed at rest.

use async_trait::async_trait;
use keys::KeyId;
use protocol::{SigningAlgorithm, Timestamp};
use tenancy::{Stored, TenantId};

use crate::Fingerprint;

/// Reads and replaces what is sealed.
#[async_trait]
pub trait SealedItems: Send + Sync {
    /// A page of all sealed items after a place, in the order of the places, without expired ones. A page may be short; an empty page
    /// is the end.
    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Stored<Vec<(SealedPlace, Vec<u8>)>>;

    /// Replaces the sealed bytes of a place if they are still the old ones, and returns whether they were.
    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Stored<bool>;

    /// A sealed value by its name.
    async fn find_sealed(&self, name: &str) -> Stored<Option<Vec<u8>>>;

    /// Stores a sealed value unless one of this name exists, and returns whether it did.
    async fn put_sealed_if_absent(&self, name: &str, sealed: &[u8], now: Timestamp) -> Stored<bool>;

    /// The sealed keys that came with their tenants from other installations.
    async fn tenant_keys(&self) -> Stored<Vec<(TenantId, Vec<u8>)>>;

    /// Whether the store holds any sealed item.
    async fn holds_sealed_rows(&self) -> Stored<bool>;
}

/// What the name of a sealed value begins with that is the key of a tenant's digests.
pub const TENANT_KEY: &str = "tenant key ";

/// The name under which the key of a tenant's digests is sealed and kept.
#[must_use]
pub fn tenant_key_name(tenant: &TenantId) -> String {
    format!("{TENANT_KEY}{tenant}")
}

/// Where something sealed is kept. Whatever is sealed at rest has its place here: what has none is lost with a former sealing key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedPlace {
    /// A private key; destroyed ones are left out.
    SigningKey {
        /// Whose.
        tenant: TenantId,
        /// Which.
        id: KeyId,
        /// What it signs with, which is part of what it is sealed for.
        algorithm: SigningAlgorithm,
    },
    /// A value of the installation, by its name.
    Named(String),
    /// What a generation was read from.
    Sources {
        /// Which.
        generation: u64,
        /// What was applied, which is what it is sealed for.
        content: Fingerprint,
    },
    /// What was answered to an idempotency key.
    IdempotentAnswer {
        /// As [`crate::IdempotentAnswer::tenant`].
        tenant: TenantId,
        /// As [`crate::IdempotentAnswer::key`].
        key: [u8; 32],
    },
}
