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

/// Finds clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// The client of this identifier in this tenant, in any status.
    async fn find_client(&self, tenant: &TenantId, client: &ClientId) -> Stored<Option<Arc<Client>>>;
}

/// Finds API keys.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// The key of this name in this tenant, in any status.
    async fn find_api_key(&self, tenant: &TenantId, key: &ApiKeyId) -> Stored<Option<Arc<ApiKey>>>;
}

/// The key set that was fetched from a URL.
#[derive(Debug)]
pub struct FetchedJwks {
    /// The keys. Unusable keys are left out.
    pub keys: PublicKeys,
    /// The bytes of the document.
    pub size: usize,
    /// How long the answer may be used, if it states that.
    pub max_age: Option<Duration>,
}

/// Fetches the key sets of clients (RFC 7591 §2 `jwks_uri`), and of the issuers that tenants trust.
#[async_trait]
pub trait JwksFetcher: Send + Sync {
    /// Fetches the key set of a source that a tenant names. Returns nothing if the fetch fails; the
    /// implementation reports the reason. The implementation bounds time and size, and decides which
    /// addresses it connects to.
    async fn fetch_jwks(&self, tenant: &TenantId, source: &KeySource<'_>) -> Option<FetchedJwks>;
}

/// Remembers identifiers until they expire. The store decides: two caches would each accept an identifier
/// once.
#[async_trait]
pub trait ReplayStore: Send + Sync {
    /// Records the use of an identifier in this tenant. Returns whether the use was the first. One of several
    /// concurrent uses is the first, at all replicas together.
    async fn record_use(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool>;

    /// Whether an identifier was used in this tenant. The answer decides nothing: another request may use the
    /// identifier right after it.
    async fn is_used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool>;

    /// Deletes identifiers of all tenants that have expired, a limited number of them. Returns how many.
    async fn delete_expired_identifiers(&self, now: Timestamp) -> Stored<u64>;
}

/// Stores revocations. Administration revokes by its commits; through this trait a client revokes one of its
/// tokens.
#[async_trait]
pub trait RevocationStore: Send + Sync {
    /// All that this tenant has revoked.
    async fn find_revocations(&self, tenant: &TenantId) -> Stored<Arc<RevocationFacts>>;

    /// Returns the revocations for a caller that has earlier facts of this tenant. A store may read only the
    /// later ones.
    async fn find_later_revocations(
        &self,
        tenant: &TenantId,
        _known: &Arc<RevocationFacts>,
    ) -> Stored<Arc<RevocationFacts>> {
        self.find_revocations(tenant).await
    }

    /// Returns the revocations if a cache has fresh ones in memory. The call neither waits nor allocates.
    fn fresh_revocations(&self, _tenant: &TenantId) -> Option<Arc<RevocationFacts>> {
        None
    }

    /// Returns the revocations for issuing a token. A cache may serve stale ones while the store is
    /// unavailable.
    async fn find_revocations_to_issue(&self, tenant: &TenantId) -> Stored<Arc<RevocationFacts>> {
        self.find_revocations(tenant).await
    }

    /// Revokes a token of this tenant, and logs the change. A repetition writes nothing.
    async fn revoke_token(&self, tenant: &TenantId, token: &TokenRevocation, now: Timestamp) -> Stored<()>;

    /// Revokes the tokens of people of this tenant that were issued until now, by a grant, a session or an
    /// account, and logs the change. A grant ends for good ([`RevokedSubject::ends_for_good`]), and so do its
    /// refresh tokens. A grant and a session count for their `sub`: the one of their account, or the pairwise
    /// one of the tokens of the grant.
    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        sub: Option<&str>,
        now: Timestamp,
    ) -> Stored<()>;

    /// Notifies a cache that another store has written revocations of this tenant. The cache reads them anew.
    fn notice_revocations(&self, _tenant: &TenantId) {}

    /// Deletes a limited number of revocations, of all tenants, whose tokens have expired. Returns the
    /// number.
    async fn delete_ended_revocations(&self, now: Timestamp) -> Stored<u64>;
}
