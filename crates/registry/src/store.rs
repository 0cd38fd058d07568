//! The stores that the registry needs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keys::PublicKeys;
use protocol::Timestamp;
use tenancy::{StoreError, TenantId};

use crate::{
    ApiKey, ApiKeyId, Client, ClientId, KeySource, RevocationFacts, RevokedSubject, SingleUseIdentifier,
    TokenRevocation,
};

/// Finds clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// The client of this identifier in this tenant, in any status.
    async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError>;
}

/// Finds API keys.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// The key of this name in this tenant, in any status.
    async fn find_api_key(
        &self,
        tenant: &TenantId,
        key: &ApiKeyId,
    ) -> Result<Option<Arc<ApiKey>>, StoreError>;
}

/// The key set that a URL had.
#[derive(Debug)]
pub struct FetchedJwks {
    /// Its keys; one that cannot be used is left out.
    pub keys: PublicKeys,
    /// The bytes of the document.
    pub size: usize,
    /// For how long the answer may be used, where it says so.
    pub max_age: Option<Duration>,
}

/// Fetches the key sets of clients (RFC 7591 §2 `jwks_uri`), and of the issuers that tenants trust.
#[async_trait]
pub trait JwksFetcher: Send + Sync {
    /// The key set of a source that a tenant names, or nothing where it cannot be had: the implementation reports why. It bounds the time
    /// and the size, and decides which addresses may be connected to.
    async fn fetch_jwks(&self, tenant: &TenantId, source: &KeySource<'_>) -> Option<FetchedJwks>;
}

/// Remembers identifiers until they expire. The store decides: two caches would each accept an identifier once.
#[async_trait]
pub trait ReplayGuard: Send + Sync {
    /// Records the use of an identifier in this tenant. Returns whether it was the first: of uses at the same time, at all replicas, one is.
    async fn record_use(
        &self,
        tenant: &TenantId,
        identifier: &SingleUseIdentifier,
    ) -> Result<bool, StoreError>;

    /// Whether an identifier was used in this tenant. It decides nothing: another use may come before the next statement.
    async fn is_used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Result<bool, StoreError>;

    /// Deletes identifiers of all tenants that have expired, a limited number of them. Returns how many.
    async fn delete_expired_identifiers(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// Keeps what has been revoked. Administration revokes by its commits; here a client revokes one of its tokens.
#[async_trait]
pub trait RevocationStore: Send + Sync {
    /// All that this tenant has revoked.
    async fn find_revocations(&self, tenant: &TenantId) -> Result<Arc<RevocationFacts>, StoreError>;

    /// The same for a reader that knows earlier facts of this tenant: a store may read what is new to them alone.
    async fn find_later_revocations(
        &self,
        tenant: &TenantId,
        _known: &Arc<RevocationFacts>,
    ) -> Result<Arc<RevocationFacts>, StoreError> {
        self.find_revocations(tenant).await
    }

    /// The same where a cache has them in memory, and they are fresh. It neither waits nor allocates.
    fn fresh_revocations(&self, _tenant: &TenantId) -> Option<Arc<RevocationFacts>> {
        None
    }

    /// The same to issue a token: a cache may answer with what it knew last while the store is unavailable.
    async fn find_revocations_to_issue(&self, tenant: &TenantId) -> Result<Arc<RevocationFacts>, StoreError> {
        self.find_revocations(tenant).await
    }

    /// Revokes a token of this tenant, and logs the change. A repetition writes nothing.
    async fn revoke_token(
        &self,
        tenant: &TenantId,
        token: &TokenRevocation,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Revokes tokens of people of this tenant that were issued until now, and logs the change: of a grant, a session or an account. A grant
    /// ends for good ([`RevokedSubject::ends_for_good`]), and so do its refresh tokens. A grant and a session count for their `sub`: that of their
    /// account, or the pairwise one of the tokens of the grant.
    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        sub: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Another store has written revocations of this tenant: a cache reads them anew.
    fn notice_revocations(&self, _tenant: &TenantId) {}

    /// Deletes revocations of all tenants whose tokens have expired, a limited number of them. Returns how many.
    async fn delete_ended_revocations(&self, now: Timestamp) -> Result<u64, StoreError>;
}
