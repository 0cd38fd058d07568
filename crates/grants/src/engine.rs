//! The shell around the rules: load, decide, sign, commit. Issuing a JWT writes nothing, so there is nothing to commit, and with
//! warm caches there is nothing to load either.

use std::sync::Arc;

use keys::{Expectations, KeyError, KeyRingCache, SignError, TokenError};
use protocol::{
    BearerToken, ErrorCode, ErrorResponse, GrantType, IntrospectionResponse, SigningAlgorithm, Timestamp,
    TokenRequest, TokenResponse, TokenType,
};
use registry::{AuthenticatedClient, ClientId, ClientStore, SignedIn};
use tenancy::{StoreError, Tenant};

use crate::client_credentials::{self, ClientCredentialsRequest};
use crate::{
    AccessTokenClaims, AdminAssertion, BearerError, Grantee, JwtId, ProtectedResource, admin_assertion,
    administration_access, introspection, resource_access,
};

/// Issues tokens and answers about them.
#[derive(Clone)]
pub struct Engine {
    keys: Arc<KeyRingCache>,
    clients: Arc<dyn ClientStore>,
}

/// What was signed, and by which algorithm: while a tenant changes it, that is not yet the one of its policy.
#[derive(Debug)]
pub struct Signed<T> {
    /// The answer with the token, or the token itself.
    pub value: T,
    /// Of the key that signed.
    pub algorithm: SigningAlgorithm,
}

/// There is no answer of the asked kind.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// A rule says no, and this is what the caller is told.
    #[error("refused: {}", .0.error_description)]
    Refused(ErrorResponse),
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
    /// Over key rings and a store of clients, which may be a cache.
    #[must_use]
    pub fn new(keys: Arc<KeyRingCache>, clients: Arc<dyn ClientStore>) -> Self {
        Self { keys, clients }
    }

    /// Issues a token to an authenticated client (RFC 6749 §5.1).
    ///
    /// # Errors
    /// [`GrantError::Refused`] where the rules say no; keys and store where they fail.
    pub async fn issue(
        &self,
        tenant: &Tenant,
        client: &AuthenticatedClient,
        request: &TokenRequest,
        now: Timestamp,
    ) -> Result<Signed<TokenResponse>, GrantError> {
        let grantee = Grantee { tenant, client: client.client() };
        let grant = match request.grant_type {
            GrantType::ClientCredentials => {
                let request =
                    ClientCredentialsRequest { scope: request.scope.as_ref(), resources: &request.resources };
                client_credentials::decide(&request, &grantee, now, &JwtId::random())
            }
            GrantType::AuthorizationCode
            | GrantType::RefreshToken
            | GrantType::DeviceCode
            | GrantType::TokenExchange
            | GrantType::JwtBearer => return Err(unsupported()),
        }
        .map_err(|refusal| GrantError::Refused(refusal.into()))?;
        let key = self.keys.signing_key(tenant, now).await?;
        let access_token = key.sign(&tenant.access_token.typ, &grant.claims)?;
        let expires_in = grant.claims.exp.seconds() - grant.claims.iat.seconds();
        let value =
            TokenResponse { access_token, token_type: TokenType::Bearer, expires_in, scope: grant.scope };
        Ok(Signed { value, algorithm: key.algorithm() })
    }

    /// Says what the caller may know about a token (RFC 7662). Nothing is written.
    ///
    /// # Errors
    /// Keys and store where they fail: an unknown truth is never "active", and a live token is never called dead.
    pub async fn introspect(
        &self,
        tenant: &Tenant,
        caller: &AuthenticatedClient,
        token: &BearerToken,
        now: Timestamp,
    ) -> Result<IntrospectionResponse, GrantError> {
        let Ok(claims) = self.verify(tenant, token, None, now).await? else {
            return Ok(IntrospectionResponse::Inactive);
        };
        let Ok(holder) = ClientId::parse(&claims.client_id) else {
            return Ok(IntrospectionResponse::Inactive);
        };
        let holder = self.clients.find_client(&tenant.id, &holder).await?;
        let caller = Grantee { tenant, client: caller.client() };
        Ok(introspection::decide(&claims, &caller, holder.as_deref()))
    }

    /// Lets the bearer of a token use a resource of the tenant, or says why not (RFC 6750 §3.1).
    ///
    /// # Errors
    /// [`GrantError::Bearer`] where the token does not do; keys and store where they fail.
    pub async fn admit(
        &self,
        tenant: &Tenant,
        token: &BearerToken,
        resource: &ProtectedResource,
        now: Timestamp,
    ) -> Result<AccessTokenClaims, GrantError> {
        let claims =
            self.verify(tenant, token, Some(&resource.audience), now).await?.map_err(BearerError::from)?;
        resource_access::decide(&claims, resource)?;
        Ok(claims)
    }

    /// Lets the bearer of a token of this tenant administer it (the whole platform, where it is the reserved one), or says why not.
    /// What the client holds today is the caller's question.
    ///
    /// # Errors
    /// [`GrantError::Bearer`] where the token does not do; keys where they fail.
    pub async fn admit_administrator(
        &self,
        tenant: &Tenant,
        token: &BearerToken,
        now: Timestamp,
    ) -> Result<AccessTokenClaims, GrantError> {
        let audience = tenant.id.admin_audience();
        let claims = self.verify(tenant, token, Some(&audience), now).await?.map_err(BearerError::from)?;
        administration_access::decide(&claims, &audience).map_err(BearerError::from)?;
        Ok(claims)
    }

    /// Signs that a person who signed in may do this in the tenant.
    ///
    /// # Errors
    /// Keys where they fail.
    pub async fn sign_assertion(
        &self,
        tenant: &Tenant,
        user: &SignedIn,
        permissions: &[&str],
        now: Timestamp,
    ) -> Result<Signed<String>, GrantError> {
        let assertion = AdminAssertion::new(tenant, user, permissions, now, &JwtId::random());
        let key = self.keys.signing_key(tenant, now).await?;
        Ok(Signed { value: key.sign(admin_assertion::TYP, &assertion)?, algorithm: key.algorithm() })
    }

    /// Checks an assertion: signed by this tenant in its own name, for its administration alone, of this type and alive. Whether the
    /// person still may is the caller's question.
    ///
    /// # Errors
    /// Keys where they fail; inside, why it does not do.
    pub async fn admit_assertion(
        &self,
        tenant: &Tenant,
        token: &BearerToken,
        now: Timestamp,
    ) -> Result<Result<AdminAssertion, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let audience = tenant.id.admin_audience();
        let expectations = Expectations {
            // Not an alias: what speaks of administration speaks in the tenant's own name.
            is_issuer: &|iss| tenant.issuer.as_str() == iss,
            accepts_typ: &|typ| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(admin_assertion::TYP)),
            audience: Some(&audience),
            skew: tenant.signing.skew,
        };
        Ok(keys::verify(token.expose(), &ring, now, &expectations).map(|verified| verified.claims))
    }

    /// One way to check our own tokens, for every door: signature, issuer, times, `typ` and, where asked, audience.
    async fn verify(
        &self,
        tenant: &Tenant,
        token: &BearerToken,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<AccessTokenClaims, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let expectations = Expectations {
            is_issuer: &|iss| tenant.is_issuer(iss),
            accepts_typ: &|typ| tenant.access_token.accepts_typ(typ, now),
            audience,
            skew: tenant.signing.skew,
        };
        Ok(keys::verify(token.expose(), &ring, now, &expectations).map(|verified| verified.claims))
    }
}

fn unsupported() -> GrantError {
    GrantError::Refused(ErrorResponse::new(ErrorCode::UnsupportedGrantType, "Unsupported grant type"))
}
