//! The service layer of this crate: loads the facts, applies the rules, signs, and writes
//! revocations. Issuing a JWT writes nothing. With warm caches the engine loads nothing either.

mod access_tokens;
mod admin_assertions;
mod people;
mod revoking;

use std::net::IpAddr;
use std::sync::Arc;

use accounts::AccountStore;
use keys::{KeyAlgorithm, KeyError, KeyRingCache, SignError, TenantKey};
use protocol::{ErrorResponse, ScopeToken, TokenResponse};
use registry::{
    ApiKeys, AuthenticatedClient, Client, ClientAuthenticationError, ClientId, ClientStore, RevocationStore,
    SenderKeys,
};
use tenancy::{StoreError, Stored, Tenant, TenantId};
use uuid::Uuid;
use values::Timestamp;

pub use self::access_tokens::InspectedToken;
use crate::redemption::Issue;
use crate::reused_tokens::TokenForm;
use crate::revocation_feeds::RevocationFeeds;
use crate::token_request::GrantRefusal;
use crate::{
    AccessTokenClaims, Authorizations, BearerError, Grantee, GroupsLeftOut, ReusedGrants, ReusedTokens,
    TokenRequest,
};

#[derive(Clone)]
pub struct Engine {
    pub(crate) keys: Arc<KeyRingCache>,
    clients: Arc<dyn ClientStore>,
    api_keys: Arc<ApiKeys>,
    pub(crate) revocations: Arc<dyn RevocationStore>,
    pub(crate) authorizations: Authorizations,
    pub(crate) accounts: Arc<dyn AccountStore>,
    feeds: Arc<RevocationFeeds>,
    reused: Arc<ReusedGrants>,
    reused_tokens: Arc<ReusedTokens>,
}

/// A signed or encrypted value with the algorithm of its key. The tenant's policy may already name
/// another algorithm if the change has not reached all replicas.
#[derive(Debug)]
pub struct Signed<T> {
    /// The response with the token, or the token.
    pub value: T,
    /// `None` if the token was made for an earlier request.
    pub algorithm: Option<KeyAlgorithm>,
    /// Why the tokens do not contain the person's groups, if the client is registered for them.
    pub groups_left_out: Option<GroupsLeftOut>,
}

#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error("refused: {}", .response.error_description)]
    Refused {
        /// For the caller.
        response: ErrorResponse,
        /// For the log.
        scope: Option<ScopeToken>,
    },
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// The client has not authenticated, or was deleted or suspended during the request.
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// The stores may be caches.
    #[must_use]
    pub fn new(
        keys: Arc<KeyRingCache>,
        clients: Arc<dyn ClientStore>,
        api_keys: Arc<ApiKeys>,
        revocations: Arc<dyn RevocationStore>,
        authorizations: Authorizations,
        accounts: Arc<dyn AccountStore>,
    ) -> Self {
        Self {
            keys,
            clients,
            api_keys,
            revocations,
            authorizations,
            accounts,
            feeds: Arc::default(),
            reused: Arc::default(),
            reused_tokens: Arc::default(),
        }
    }

    /// Issues a token to an authenticated client (RFC 6749 §5.1), bound to the keys that the
    /// request has proven.
    ///
    /// # Errors [`GrantError::Refused`] when a rule refuses the request. [`GrantError::Keys`] and
    /// [`GrantError::Sign`] when the tenant's keys fail.
    pub async fn issue(
        &self,
        tenant: &Tenant,
        client: &AuthenticatedClient,
        request: &TokenRequest,
        sender: &SenderKeys,
        now: Timestamp,
        source: Option<IpAddr>,
    ) -> Result<Signed<TokenResponse>, GrantError> {
        let grantee = Grantee { tenant, client: client.client() };
        let now = self.first_valid_second(tenant, client, now).await?;
        let credential = client.credential();
        let jti = credential.token_id(Uuid::new_v4());
        let Some(decided) = request.decide(&grantee, sender, now, jti) else {
            return request.redeem(self, &grantee, sender, Issue { now, credential, jti, source }).await;
        };
        let claims =
            decided.map_err(|GrantRefusal { response, scope }| GrantError::Refused { response, scope })?;
        let claims = claims.of_api_key(client.proof().api_key());
        let key = self.access_token_key(&grantee, &claims, now).await?;
        let more = &*grantee.static_claims();
        let form = TokenForm { credential, key: key.thumbprint(), more };
        let facts = || self.revocations.fresh_revocations(&tenant.id);
        let encode = |claims: &AccessTokenClaims<'_>| claims.encode(&key, tenant, more);
        let (value, is_new) = self.reused_tokens.response(&grantee, claims, &form, facts, encode)?;
        Ok(Signed { value, algorithm: is_new.then(|| key.algorithm()), groups_left_out: None })
    }

    /// The key of a new access token, by the token's format.
    pub(crate) async fn access_token_key(
        &self,
        grantee: &Grantee<'_>,
        claims: &AccessTokenClaims<'_>,
        now: Timestamp,
    ) -> Result<TenantKey, KeyError> {
        self.keys.key(grantee.tenant, grantee.token_algorithm(&claims.aud), now).await
    }

    /// The number of grants that ended because a code or refresh token was used again.
    #[must_use]
    pub fn reused_grants(&self) -> &ReusedGrants {
        &self.reused
    }

    /// The tokens that identical requests get.
    #[must_use]
    pub fn reused_tokens(&self) -> &ReusedTokens {
        &self.reused_tokens
    }

    /// Returns a client in any status.
    pub(crate) async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Stored<Option<Arc<Client>>> {
        self.clients.find_client(tenant, client).await
    }
}
