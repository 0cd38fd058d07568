//! The service layer of this crate: load, decide, sign, commit. Issuing a JWT writes nothing, so there is no commit; with warm caches
//! there is no load either.

use std::sync::Arc;

use keys::{Expectations, KeyError, KeyRingCache, SignError, SigningKey, TokenError};
use protocol::{
    ErrorResponse, IntrospectionResponse, PresentedToken, ScopeToken, Secret, SigningAlgorithm, Timestamp,
    TokenResponse,
};
use registry::{AuthenticatedClient, ClientId, ClientStore, SignedIn};
use tenancy::{StoreError, Tenant};
use uuid::Uuid;

use crate::sender_constraint::token_type;
use crate::token_request::GrantRefusal;
use crate::{
    AccessTokenClaims, AdminAssertion, BearerError, Grantee, ProtectedResource, SenderKeys, TokenRequest,
    UnconfirmedToken, admin_assertion, administration_access, introspection, resource_access,
};

/// Issues, checks and introspects tokens.
#[derive(Clone)]
pub struct Engine {
    keys: Arc<KeyRingCache>,
    clients: Arc<dyn ClientStore>,
}

/// A signed value with the algorithm of its key, which differs from the tenant's policy while that change propagates.
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
        /// The scope token that is refused, for the log.
        scope: Option<ScopeToken>,
    },
    /// The bearer may not use the resource.
    #[error(transparent)]
    Bearer(#[from] BearerError),
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
    /// Creates the engine over key rings and a store of clients, which may be a cache.
    #[must_use]
    pub fn new(keys: Arc<KeyRingCache>, clients: Arc<dyn ClientStore>) -> Self {
        Self { keys, clients }
    }

    /// Issues a token to an authenticated client (RFC 6749 §5.1), bound to the keys that its request has proven.
    ///
    /// # Errors
    /// [`GrantError::Refused`] when a rule refuses; [`GrantError::Keys`] and [`GrantError::Sign`] when the tenant's keys fail.
    pub async fn issue(
        &self,
        tenant: &Tenant,
        client: &AuthenticatedClient,
        request: &TokenRequest,
        sender: &SenderKeys,
        now: Timestamp,
    ) -> Result<Signed<TokenResponse>, GrantError> {
        let grantee = Grantee { tenant, client: client.client() };
        let claims = request
            .decide(&grantee, sender, now, Uuid::new_v4())
            .map_err(|GrantRefusal { response, scope }| GrantError::Refused { response, scope })?;
        let key = self.keys.signing_key(tenant, now).await?;
        let access_token = key.sign(&tenant.access_token.typ, &claims)?;
        let expires_in = claims.exp.seconds() - claims.iat.seconds();
        let token_type = token_type(claims.cnf.as_ref());
        let value = TokenResponse { access_token, token_type, expires_in, scope: claims.scope };
        Ok(Signed { value, algorithm: key.algorithm() })
    }

    /// The key that would sign a token of the tenant now, without creating one: `None` where the first token does that.
    ///
    /// # Errors
    /// When the tenant's keys fail, as they would fail [`Engine::issue`].
    pub async fn existing_signing_key(
        &self,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Option<Arc<SigningKey>>, KeyError> {
        self.keys.existing_signing_key(tenant, now).await
    }

    /// Introspects a token for a caller (RFC 7662). Nothing is written.
    ///
    /// # Errors
    /// When keys or store fail: without them a token is answered neither as active nor as inactive.
    pub async fn introspect(
        &self,
        tenant: &Tenant,
        caller: &AuthenticatedClient,
        token: &Secret,
        now: Timestamp,
    ) -> Result<IntrospectionResponse, GrantError> {
        let claims = self.verify(tenant, token.expose(), None, now).await?.ok();
        let live = claims.and_then(|claims| Some((ClientId::parse(&claims.client_id).ok()?, claims)));
        let Some((holder, claims)) = live else { return Ok(None.into()) };
        let holder = self.clients.find_client(&tenant.id, &holder).await?;
        let caller = Grantee { tenant, client: caller.client() };
        Ok(introspection::decide(claims, &caller, holder.as_deref()).into())
    }

    /// Checks that the sender of a token may use a resource of the tenant (RFC 6750 §3.1), once it has proven the keys of the token.
    ///
    /// # Errors
    /// [`GrantError::Bearer`] when the token is refused, [`GrantError::Keys`] when the tenant's keys fail.
    pub async fn admit(
        &self,
        tenant: &Tenant,
        token: &PresentedToken,
        resource: &ProtectedResource,
        now: Timestamp,
    ) -> Result<UnconfirmedToken, GrantError> {
        let claims = self.verify(tenant, token.expose(), Some(&resource.audience), now).await?;
        let claims = claims.map_err(BearerError::from)?;
        resource_access::decide(&claims, resource)?;
        Ok(UnconfirmedToken::new(claims))
    }

    /// Checks that the sender of a token may administer its tenant, or the whole platform if that is the reserved tenant, once it has proven
    /// the keys of the token. The caller checks the permissions that the client has now.
    ///
    /// # Errors
    /// [`GrantError::Bearer`] when the token is refused, [`GrantError::Keys`] when the tenant's keys fail.
    pub async fn admit_administrator(
        &self,
        tenant: &Tenant,
        token: &PresentedToken,
        now: Timestamp,
    ) -> Result<UnconfirmedToken, GrantError> {
        let audience = tenant.id.admin_audience();
        let claims = self.verify(tenant, token.expose(), Some(&audience), now).await?;
        let claims = claims.map_err(BearerError::from)?;
        administration_access::decide(&claims, &audience).map_err(BearerError::from)?;
        Ok(UnconfirmedToken::new(claims))
    }

    /// Signs an assertion that a signed-in person has these permissions in the tenant.
    ///
    /// # Errors
    /// When the tenant's keys fail.
    pub async fn sign_assertion(
        &self,
        tenant: &Tenant,
        user: &SignedIn,
        permissions: &[&str],
        now: Timestamp,
    ) -> Result<Signed<String>, GrantError> {
        let assertion = AdminAssertion::new(tenant, user, permissions, now, Uuid::new_v4());
        let key = self.keys.signing_key(tenant, now).await?;
        Ok(Signed { value: key.sign(admin_assertion::TYP, &assertion)?, algorithm: key.algorithm() })
    }

    /// Checks an assertion: signed by this tenant as its main issuer, for its administration only, of the right `typ` and not expired. The
    /// caller checks the permissions that the person has now.
    ///
    /// # Errors
    /// [`KeyError`] when the tenant's keys fail; the inner [`TokenError`] when the assertion is refused.
    pub async fn admit_assertion(
        &self,
        tenant: &Tenant,
        token: &PresentedToken,
        now: Timestamp,
    ) -> Result<Result<AdminAssertion, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let audience = tenant.id.admin_audience();
        let expectations = Expectations {
            // No alias: an assertion for administration carries the tenant's main issuer.
            is_issuer: &|iss| tenant.issuer.as_str() == iss,
            accepts_typ: &|typ| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(admin_assertion::TYP)),
            audience: Some(&audience),
            skew: tenant.signing.skew,
        };
        Ok(keys::verify(token.expose(), &ring, now, &expectations))
    }

    /// Checks one of our access tokens: signature, issuer, times, `typ` and, where given, audience.
    async fn verify(
        &self,
        tenant: &Tenant,
        token: &str,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<AccessTokenClaims<'static>, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let expectations = Expectations {
            is_issuer: &|iss| tenant.is_issuer(iss),
            accepts_typ: &|typ| tenant.access_token.accepts_typ(typ, now),
            audience,
            skew: tenant.signing.skew,
        };
        Ok(keys::verify(token, &ring, now, &expectations))
    }
}
