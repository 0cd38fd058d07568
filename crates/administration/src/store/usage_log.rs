//! The store of the addresses that used secrets, and of the verifiers that fetched keys. Both are written in
//! batches outside commits.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use keys::KeyId;
use registry::{ClientId, SecretId};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::documents::UsedFrom;

#[async_trait]
pub trait UsageLog: Send + Sync {
    /// The addresses from which a client's secrets were used.
    async fn secret_usage(&self, tenant: &TenantId, client: &ClientId) -> Stored<Vec<SecretUsage>>;

    /// The uses of the secrets of these clients of a tenant, in the order of the clients' ids.
    async fn secret_usage_of_clients(
        &self,
        tenant: &TenantId,
        clients: &RangeInclusive<ClientId>,
    ) -> Stored<Vec<SecretUsage>>;

    /// Records from which addresses secrets were presented. Ignores secrets and clients that do not exist.
    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Stored<()>;

    async fn verifier_fetches(&self, tenant: &TenantId) -> Stored<Vec<VerifierFetch>>;

    /// Records which keys verifiers fetched. Ignores tenants that do not exist.
    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Stored<()>;
}

/// A secret that was presented from an address. The latest [`KEPT_ADDRESSES`] for each secret and outcome are
/// stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUsage {
    pub tenant: TenantId,
    pub client: ClientId,
    pub secret: SecretId,
    pub from: UsedFrom,
}

/// The most addresses that are stored for each secret and outcome.
pub const KEPT_ADDRESSES: usize = 32;

/// A verifier that has fetched a tenant's keys. Key numbers increase, so a verifier that has fetched key 7
/// has fetched all keys that were published with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierFetch {
    pub tenant: TenantId,
    /// The user agent and the address group of the verifier.
    pub verifier: String,
    pub last_fetch_at: Timestamp,
    /// The newest key that the verifier received.
    pub newest_key: KeyId,
}

/// The most verifiers that are stored for each tenant. A new verifier can only replace one that has not
/// fetched for a day.
pub const KEPT_VERIFIERS: usize = 256;
