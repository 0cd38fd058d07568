//! The service layer of this crate: it loads, decides, signs and commits. Issuing a JWT writes nothing, so
//! only a revocation commits. With warm caches nothing is loaded either.

mod access_tokens;
mod admin_assertions;
mod people;
mod revoking;

use std::net::IpAddr;
use std::sync::Arc;

use accounts::AccountStore;
use keys::{KeyError, KeyRingCache, SignError};
use protocol::{ErrorResponse, ScopeToken, SigningAlgorithm, TokenResponse};
use registry::{
    ApiKeys, AuthenticatedClient, Client, ClientAuthenticationError, ClientId, ClientStore, RevocationStore,
    SenderKeys,
};
use tenancy::{StoreError, Stored, Tenant, TenantId};
use uuid::Uuid;
use values::Timestamp;

pub use self::access_tokens::InspectedToken;
use crate::redemption::Issue;
use crate::revocation_feeds::RevocationFeeds;
use crate::token_request::GrantRefusal;
use crate::{Authorizations, BearerError, Grantee, ReusedGrants, TokenRequest};

/// Issues, checks and introspects tokens.
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
}

/// A signed value with the algorithm of its key. The tenant's policy may name another algorithm while that
/// change propagates.
#[derive(Debug)]
pub struct Signed<T> {
    /// The response with the token, or the token itself.
    pub value: T,
    /// The algorithm of the key that signed.
    pub algorithm: SigningAlgorithm,
}

/// Reasons not to issue or accept a token.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// A rule refuses the request.
    #[error("refused: {}", .response.error_description)]
    Refused {
        /// The caller gets it.
        response: ErrorResponse,
        /// The refused scope token, for the log.
        scope: Option<ScopeToken>,
    },
    /// The bearer may not use the resource.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// The client has not authenticated, or has ended since.
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    /// The tenant's keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The claims could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Creates the engine over key rings, API keys, authorizations, and stores of clients,
    /// revocations and accounts. The stores may be caches.
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
        }
    }

    /// Issues a token to an authenticated client (RFC 6749 §5.1), bound to the keys
    /// that its request from this address has proven.
    ///
    /// # Errors
    /// [`GrantError::Refused`] when a rule refuses; [`GrantError::Keys`] and [`GrantError::Sign`]
    /// when the tenant's keys fail.
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
        let key = self.keys.signing_key(tenant, now).await?;
        let access_token = claims.sign(&key, &grantee)?;
        let value = claims.response(access_token);
        Ok(Signed { value, algorithm: key.algorithm() })
    }

    /// The grants that have ended by a second use.
    #[must_use]
    pub fn reused_grants(&self) -> &ReusedGrants {
        &self.reused
    }

    /// The client of this identifier, in any status.
    pub(crate) async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Stored<Option<Arc<Client>>> {
        self.clients.find_client(tenant, client).await
    }
}
