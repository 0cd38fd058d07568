//! Where secrets were used from, and which verifiers fetched keys. Both are written without a commit, several at once.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use keys::KeyId;
use protocol::Timestamp;
use registry::{ClientId, SecretId};
use tenancy::{Stored, TenantId};

/// Reads and records usage.
#[async_trait]
pub trait UsageLog: Send + Sync {
    /// The addresses that a client's secrets were used from.
    async fn secret_usage(&self, tenant: &TenantId, client: &ClientId) -> Stored<Vec<SecretUsage>>;

    /// The same of these clients of a tenant, in the order of their ids.
    async fn secret_usage_of_clients(
        &self,
        tenant: &TenantId,
        clients: &RangeInclusive<ClientId>,
    ) -> Stored<Vec<SecretUsage>>;

    /// Records the use of secrets. It ignores secrets and clients that do not exist.
    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Stored<()>;

    /// The verifiers that fetch a tenant's keys.
    async fn verifier_fetches(&self, tenant: &TenantId) -> Stored<Vec<VerifierFetch>>;

    /// Records which keys verifiers fetched. It ignores tenants that do not exist.
    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Stored<()>;
}

/// A secret that was used from an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUsage {
    /// Whose client.
    pub tenant: TenantId,
    /// Whose secret.
    pub client: ClientId,
    /// Which.
    pub secret: SecretId,
    /// From where, as text; of each secret the latest [`KEPT_ADDRESSES`] are kept.
    pub address: String,
    /// When last.
    pub at: Timestamp,
}

/// So many addresses are kept of each secret.
pub const KEPT_ADDRESSES: usize = 32;

/// A verifier that has fetched a tenant's keys. Numbers grow, so who has fetched key 7 has fetched all that were published with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierFetch {
    /// Whose keys.
    pub tenant: TenantId,
    /// Who, as user agent and address group.
    pub verifier: String,
    /// When last.
    pub last_fetch_at: Timestamp,
    /// The newest key that it was given.
    pub newest_key: KeyId,
}

/// So many verifiers are kept of each tenant. Newcomers take the places of those alone that have not come for a day.
pub const KEPT_VERIFIERS: usize = 256;
