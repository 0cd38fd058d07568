//! The stores that the registry needs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keys::PublicKeys;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::{
    ApiKey, ApiKeyId, Client, ClientId, KeySource, RevocationFacts, RevokedSubject, SingleUseIdentifier,
    TokenRevocation,
};

#[async_trait]
pub trait ClientStore: Send + Sync {
    /// The client in any status.
    async fn find_client(&self, tenant: &TenantId, client: &ClientId) -> Stored<Option<Arc<Client>>>;
}

#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// The key in any status.
    async fn find_api_key(&self, tenant: &TenantId, key: &ApiKeyId) -> Stored<Option<Arc<ApiKey>>>;
}

#[derive(Debug)]
pub struct FetchedJwks {
    /// The usable keys.
    pub keys: PublicKeys,
    /// The size of the document in bytes.
    pub size: usize,
    /// How long the response may be used, if it says so.
    pub max_age: Option<Duration>,
}

/// Fetches the key sets of clients (RFC 7591 §2 `jwks_uri`) and of trusted issuers.
#[async_trait]
pub trait JwksFetcher: Send + Sync {
    /// Fetches the key set of a source. Returns `None` if the fetch fails. The implementation logs the
    /// reason, limits time and size, and decides which addresses it connects to.
    async fn fetch_jwks(&self, tenant: &TenantId, source: &KeySource<'_>) -> Option<FetchedJwks>;
}

/// Stores used identifiers until they expire. Must be the shared store and not a cache, because two caches
/// would each accept an identifier once.
#[async_trait]
pub trait ReplayStore: Send + Sync {
    /// Records the use of an identifier. Returns `true` for the first use. Of several concurrent uses at all
    /// replicas, only one is the first.
    async fn record_use(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool>;

    /// Whether an identifier was used. Do not base decisions on the result: another request may use the
    /// identifier immediately afterwards.
    async fn is_used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool>;

    /// Deletes a limited number of expired identifiers of all tenants, and returns their number.
    async fn delete_expired_identifiers(&self, now: Timestamp) -> Stored<u64>;
}

/// Stores revocations. Administration revokes with its commits. Clients revoke their own tokens through this
/// trait.
#[async_trait]
pub trait RevocationStore: Send + Sync {
    /// All revocations of the tenant.
    async fn find_revocations(&self, tenant: &TenantId) -> Stored<Arc<RevocationFacts>>;

    /// All revocations, for a caller that has earlier facts of this tenant. A store may read only the new
    /// ones.
    async fn find_later_revocations(
        &self,
        tenant: &TenantId,
        _known: &Arc<RevocationFacts>,
    ) -> Stored<Arc<RevocationFacts>> {
        self.find_revocations(tenant).await
    }

    /// The revocations, if a cache has fresh ones in memory. Neither waits nor allocates.
    fn fresh_revocations(&self, _tenant: &TenantId) -> Option<Arc<RevocationFacts>> {
        None
    }

    /// The revocations for issuing a token. A cache may return stale facts while the store is unavailable.
    async fn find_revocations_to_issue(&self, tenant: &TenantId) -> Stored<Arc<RevocationFacts>> {
        self.find_revocations(tenant).await
    }

    /// Revokes a token and logs the change. A second call for the same token writes nothing.
    async fn revoke_token(&self, tenant: &TenantId, token: &TokenRevocation, now: Timestamp) -> Stored<()>;

    /// Revokes the tokens of people that were issued until now, by grant, session or account, and logs the
    /// change. A revoked grant also gets no later tokens ([`RevokedSubject::ends_for_good`]), and its refresh
    /// tokens end. Grants and sessions count for their `sub`, which is the account or the pairwise subject of
    /// the grant's tokens.
    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        sub: Option<&str>,
        now: Timestamp,
    ) -> Stored<()>;

    /// Tells a cache that another store has written revocations of this tenant, so that the cache reads them
    /// again.
    fn notice_revocations(&self, _tenant: &TenantId) {}

    /// Deletes a limited number of revocations of all tenants whose tokens have expired, and returns their
    /// number.
    async fn delete_ended_revocations(&self, now: Timestamp) -> Stored<u64>;
}
