//! The store of the addresses that used secrets, and of the verifiers that fetched keys. Both are written
//! without a commit, several at once.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use keys::KeyId;
use registry::{ClientId, SecretId};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::documents::UsedFrom;

/// Reads and records usage.
#[async_trait]
pub trait UsageLog: Send + Sync {
    /// The addresses that a client's secrets were used from.
    async fn secret_usage(&self, tenant: &TenantId, client: &ClientId) -> Stored<Vec<SecretUsage>>;

    /// The uses of the secrets of these clients of a tenant, in the order of the clients' ids.
    async fn secret_usage_of_clients(
        &self,
        tenant: &TenantId,
        clients: &RangeInclusive<ClientId>,
    ) -> Stored<Vec<SecretUsage>>;

    /// Records from where secrets were presented. It ignores secrets and clients that do not exist.
    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Stored<()>;

    /// The verifiers that fetch a tenant's keys.
    async fn verifier_fetches(&self, tenant: &TenantId) -> Stored<Vec<VerifierFetch>>;

    /// Records which keys verifiers fetched. It ignores tenants that do not exist.
    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Stored<()>;
}

/// A secret that was presented from an address. Of each secret the latest [`KEPT_ADDRESSES`] of each outcome
/// are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUsage {
    /// The tenant of the client.
    pub tenant: TenantId,
    pub client: ClientId,
    pub secret: SecretId,
    pub from: UsedFrom,
}

/// The most addresses that are stored for each secret and outcome.
pub const KEPT_ADDRESSES: usize = 32;

/// A verifier that has fetched a tenant's keys. Numbers grow, so a verifier that has fetched key 7 has
/// fetched all keys that were published with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierFetch {
    /// The tenant of the keys.
    pub tenant: TenantId,
    /// Who, as user agent and address group.
    pub verifier: String,
    pub last_fetch_at: Timestamp,
    /// The newest key that it was given.
    pub newest_key: KeyId,
}

/// The most verifiers that are stored for each tenant. A new verifier replaces only one that has not fetched
/// for a day.
pub const KEPT_VERIFIERS: usize = 256;
