//! The service layer of this crate: load, decide, sign, commit. Issuing a JWT writes nothing, so only a revocation commits; with warm
//! caches there is no load either.

use std::sync::Arc;
use std::time::Duration;

use accounts::{AccountId, AccountStore};
use keys::{Expectations, KeyError, KeyRing, KeyRingCache, SignError, SigningKey, TokenError};
use protocol::{
    ErrorResponse, IntrospectionResponse, Lifetime, PresentedToken, ScopeToken, Secret, SigningAlgorithm,
    Timestamp, TokenResponse,
};
use registry::{
    AuthenticatedClient, Client, ClientId, ClientStore, PersonOfToken, RevocationFacts, RevocationStore,
    RevokedBy, RevokedSubject, SenderKeys, SignedInUser,
};
use tenancy::{StoreError, Tenant, TenantId};
use uuid::Uuid;

use crate::redemption::Issue;
use crate::revocation_feeds::{RevocationFeeds, SignedFeed};
use crate::sender_constraint::token_type;
use crate::subject::public_person;
use crate::token_request::GrantRefusal;
use crate::{
    AccessTokenClaims, AdminAssertion, Authorizations, BearerError, DeviceAuthorizations, GrantId, Grantee,
    IdTokenHint, NamedPerson, ProtectedResource, QueuedLogout, TokenRequest, UnconfirmedToken,
    admin_assertion, administration_access, id_token_hint, introspection, logout, redemption,
    refresh_token_text, refreshing, resource_access, revocation,
};

/// Issues, checks and introspects tokens.
#[derive(Clone)]
pub struct Engine {
    pub(crate) keys: Arc<KeyRingCache>,
    clients: Arc<dyn ClientStore>,
    pub(crate) revocations: Arc<dyn RevocationStore>,
    pub(crate) authorizations: Authorizations,
    pub(crate) devices: DeviceAuthorizations,
    pub(crate) accounts: Arc<dyn AccountStore>,
    feeds: Arc<RevocationFeeds>,
}

/// The longest wait for the second after a revocation: that second, and the differences that the clocks of two replicas are allowed.
const LONGEST_WAIT: Lifetime = Lifetime::from_seconds(5);

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
    /// Creates the engine over key rings, authorizations, also of devices, and stores of clients, revocations and accounts, which may be
    /// caches.
    #[must_use]
    pub fn new(
        keys: Arc<KeyRingCache>,
        clients: Arc<dyn ClientStore>,
        revocations: Arc<dyn RevocationStore>,
        authorizations: Authorizations,
        devices: DeviceAuthorizations,
        accounts: Arc<dyn AccountStore>,
    ) -> Self {
        Self { keys, clients, revocations, authorizations, devices, accounts, feeds: Arc::default() }
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
        let now = self.first_valid_second(tenant, client, now).await?;
        let credential = client.credential();
        let jti = credential.token_id(Uuid::new_v4());
        let issue = Issue { now, credential, jti };
        let claims = match (request, request.decide(&grantee, sender, now, jti)) {
            (_, Some(decided)) => {
                decided.map_err(|GrantRefusal { response, scope }| GrantError::Refused { response, scope })?
            }
            // Boxed, because the futures of requests that redeem nothing would be as large.
            (TokenRequest::AuthorizationCode(request), None) => {
                return Box::pin(redemption::redeem(self, &grantee, request, sender, issue)).await;
            }
            (TokenRequest::DeviceCode(request), None) => {
                let redeemed = redemption::redeem_device_code;
                return Box::pin(redeemed(self, &grantee, request, sender, issue)).await;
            }
            (TokenRequest::RefreshToken(request), None) => {
                return Box::pin(refreshing::refresh(self, &grantee, request, sender, issue)).await;
            }
            (TokenRequest::ClientCredentials(_), None) => unreachable!("it is decided without the store"),
        };
        let key = self.keys.signing_key(tenant, now).await?;
        let access_token = key.sign(&tenant.access_token.typ, &claims)?;
        let expires_in = claims.exp.seconds() - claims.iat.seconds();
        let token_type = token_type(claims.cnf.as_ref());
        let value = TokenResponse {
            access_token,
            token_type,
            expires_in,
            scope: claims.scope,
            id_token: None,
            refresh_token: None,
        };
        Ok(Signed { value, algorithm: key.algorithm() })
    }

    /// When a token of this client and credential is valid: now, or the second after the last one whose tokens are revoked, which has come
    /// when this returns. A token is issued also without the facts of the tenant, because nothing is known to have changed.
    async fn first_valid_second(
        &self,
        tenant: &Tenant,
        client: &AuthenticatedClient,
        now: Timestamp,
    ) -> Result<Timestamp, GrantError> {
        let Ok(facts) = self.facts_to_issue(tenant).await else { return Ok(now) };
        Ok(wait_for(facts.issued_until(client.client().id.as_str(), client.credential()), now).await?)
    }

    /// When a code of this client is valid: now, or the second after the last one whose codes are revoked, which has come when this returns.
    ///
    /// # Errors
    /// When that is not soon.
    pub async fn first_second_of_codes(
        &self,
        Grantee { tenant, client }: &Grantee<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        match self.facts_to_issue(tenant).await {
            Ok(facts) => wait_for(facts.granted_until(client.id.as_str()), now).await,
            Err(_) => Ok(now),
        }
    }

    /// The same of a token of a person; `None` where the grant has ended meanwhile, after which no second is valid.
    pub(crate) async fn first_valid_second_of(
        &self,
        Grantee { tenant, client }: &Grantee<'_>,
        person: PersonOfToken<'_>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, GrantError> {
        let Ok(facts) = self.facts_to_issue(tenant).await else { return Ok(Some(now)) };
        if person.grant.is_some_and(|grant| facts.is_grant_revoked(grant)) {
            return Ok(None);
        }
        Ok(Some(wait_for(facts.issued_until_of(client.id.as_str(), person), now).await?))
    }

    /// Whether a person has taken back since this time what the client was allowed.
    pub(crate) async fn is_consent_revoked(
        &self,
        Grantee { tenant, client }: &Grantee<'_>,
        account: &AccountId,
        allowed_at: Timestamp,
    ) -> bool {
        let facts = self.facts_to_issue(tenant).await;
        facts.is_ok_and(|facts| {
            facts.is_consent_revoked_since(account.as_str(), client.id.as_str(), allowed_at)
        })
    }

    /// What the tenant has revoked, as far as this replica knows.
    pub(crate) async fn facts_to_issue(&self, tenant: &Tenant) -> Result<Arc<RevocationFacts>, StoreError> {
        match self.revocations.fresh_revocations(&tenant.id) {
            Some(facts) => Ok(facts),
            None => self.revocations.find_revocations_to_issue(&tenant.id).await,
        }
    }

    /// Ends all tokens of what a person has granted a client once.
    pub(crate) async fn end_grant(
        &self,
        tenant: &TenantId,
        grant: GrantId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.revocations.revoke_people(tenant, &RevokedSubject::Grant(grant.to_string()), now).await
    }

    /// A store has written revocations of the tenant by itself, as that of sessions does: they count here at once.
    pub fn notice_revocations(&self, tenant: &TenantId) {
        self.revocations.notice_revocations(tenant);
    }

    /// Revokes a token of the caller (RFC 7009). A token that is not valid, or another client's, is left as it is.
    ///
    /// # Errors
    /// When keys or store fail: the token may be valid still.
    pub async fn revoke(
        &self,
        tenant: &Tenant,
        caller: &AuthenticatedClient,
        token: &Secret,
        now: Timestamp,
    ) -> Result<(), GrantError> {
        // RFC 7009 §2: refresh tokens can be revoked, and so can access tokens. §2.2.1: there is no other kind that would be
        // `unsupported_token_type`.
        if token.expose().starts_with(refresh_token_text::PREFIX) {
            return refreshing::revoke(self, tenant, caller.client(), token, now).await;
        }
        let claims = self.verify(tenant, token.expose(), None, now).await?.ok();
        match claims.and_then(|claims| revocation::decide(claims, caller.client())) {
            Some(revoked) => Ok(self.revocations.revoke_token(&tenant.id, &revoked, now).await?),
            None => Ok(()),
        }
    }

    /// What the tenant has revoked, signed by this key of it now or a short while ago. `None` where too many feeds are served already.
    ///
    /// # Errors
    /// When the store or the signature fails: without facts, verifiers must not believe that nothing is revoked.
    pub async fn revocation_feed(
        &self,
        tenant: &Tenant,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Option<Arc<SignedFeed>>, GrantError> {
        let facts = self.facts(tenant).await?;
        Ok(self.feeds.get(tenant, &facts, key, now)?)
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
        let caller = Grantee { tenant, client: caller.client() };
        if token.expose().starts_with(refresh_token_text::PREFIX) {
            return Ok(Box::pin(refreshing::introspect(self, &caller, token, now)).await?.into());
        }
        let claims = self.verify(tenant, token.expose(), None, now).await?.ok();
        let live = claims.and_then(|claims| Some((ClientId::parse(&claims.client_id).ok()?, claims)));
        let Some((holder, claims)) = live else { return Ok(IntrospectionResponse::INACTIVE) };
        let holder = self.clients.find_client(&tenant.id, &holder).await?;
        Ok(introspection::decide(claims, &caller, holder.as_deref()).into())
    }

    /// The client of this identifier, in any status.
    pub(crate) async fn find_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        self.clients.find_client(tenant, client).await
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
        user: &SignedInUser,
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
        let assertion: AdminAssertion = match keys::verify(token.expose(), &*ring, now, &expectations) {
            Ok(assertion) => assertion,
            Err(error) => return Ok(Err(error)),
        };
        let facts = self.facts(tenant).await?;
        Ok(if facts.revoke_tenant_at(assertion.iat) { Err(TokenError::Revoked) } else { Ok(assertion) })
    }

    /// Whom a token is of that is valid here; `None` of a client's own. With public subjects the token itself says it, else the client's sector
    /// is needed.
    ///
    /// # Errors
    /// When the store fails; the inner [`TokenError`] when its names are of no person, such as those of a sector that its client has left.
    pub async fn person_of(
        &self,
        tenant: &Tenant,
        claims: &AccessTokenClaims<'_>,
    ) -> Result<Result<Option<NamedPerson>, TokenError>, StoreError> {
        if !claims.is_of_person() {
            return Ok(Ok(None));
        }
        let person =
            self.named_person(tenant, &claims.client_id, (&claims.sub, claims.sid.as_deref())).await?;
        Ok(person.map(Some).ok_or(TokenError::Revoked))
    }

    async fn named_person(
        &self,
        tenant: &Tenant,
        client: &str,
        (sub, sid): (&str, Option<&str>),
    ) -> Result<Option<NamedPerson>, StoreError> {
        if let Some(person) = public_person(sub, sid) {
            return Ok(Some(person));
        }
        let Ok(client) = ClientId::parse(client) else { return Ok(None) };
        // Boxed, because the futures of requests for other tokens would be as large.
        let client = Box::pin(self.find_client(&tenant.id, &client)).await?;
        let of = client.as_deref().map(|client| Grantee { tenant, client });
        Ok(of.and_then(|of| self.authorizations.subjects().person(&of, sub, sid)))
    }

    /// Signs the logout token of a notice to this client.
    ///
    /// # Errors
    /// When the tenant's keys fail.
    pub async fn sign_logout_token(
        &self,
        grantee: &Grantee<'_>,
        queued: &QueuedLogout,
        now: Timestamp,
    ) -> Result<String, GrantError> {
        let (tenant, subjects) = (grantee.tenant, self.authorizations.subjects());
        let claims = logout::token::claims(subjects, grantee, queued, now, Uuid::new_v4());
        let key = self.keys.signing_key(tenant, now).await?;
        Ok(key.sign(logout::token::TYP, &claims)?)
    }

    /// Who signed in, by an ID token that a client sends as a hint.
    ///
    /// # Errors
    /// [`KeyError`] when keys or store fail; the inner [`TokenError`] when it is not an ID token of the tenant, or of no person.
    pub async fn id_token_hint(
        &self,
        tenant: &Tenant,
        hint: &str,
        now: Timestamp,
    ) -> Result<Result<IdTokenHint, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let kid = id_token_hint::kid(hint).unwrap_or_default();
        let verified = if ring.find(&kid, tenant.signing.skew, now).is_some() {
            id_token_hint::verify(tenant, &*ring, hint, now)
        } else {
            let kept = id_token_hint::kept(tenant);
            let removed = self.keys.hint_key(&tenant.id, &ring, &kid, kept, now).await?;
            removed
                .ok_or(TokenError::UnknownKey)
                .and_then(|key| id_token_hint::verify(tenant, &key, hint, now))
        };
        let claims = match verified {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(error)),
        };
        let person = self.named_person(tenant, &claims.aud, (&claims.sub, claims.sid.as_deref())).await?;
        Ok(person.map(|person| IdTokenHint::new(claims, person)).ok_or(TokenError::Revoked))
    }

    /// What the tenant has revoked, known to be true within the last seconds. RFC 7009 §3: a resource server of self-contained tokens
    /// learns of their end by "some (currently non-standardized) backend interaction". Ours has these facts; those elsewhere have the feed.
    pub(crate) async fn facts(&self, tenant: &Tenant) -> Result<Arc<RevocationFacts>, StoreError> {
        match self.revocations.fresh_revocations(&tenant.id) {
            Some(facts) => Ok(facts),
            None => self.revocations.find_revocations(&tenant.id).await,
        }
    }

    /// Checks one of our access tokens: signature, issuer, times, `typ` and, where given, audience, and that it is not revoked. Without the
    /// facts of the tenant no token is valid.
    async fn verify(
        &self,
        tenant: &Tenant,
        token: &str,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<AccessTokenClaims<'static>, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let claims = match verify_signed(tenant, &ring, token, audience, now) {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(error)),
        };
        let person = match self.person_of(tenant, &claims).await? {
            Ok(person) => person,
            Err(error) => return Ok(Err(error)),
        };
        let facts = self.facts(tenant).await?;
        Ok(if facts.revoke(claims.issued(person.as_ref())) { Err(TokenError::Revoked) } else { Ok(claims) })
    }

    /// Says of one of the tenant's access tokens whether it is valid in itself, and what has revoked it, for an administrator. Nothing is
    /// decided by it.
    ///
    /// # Errors
    /// When keys or store fail.
    pub async fn explain_token(
        &self,
        tenant: &Tenant,
        token: &str,
        now: Timestamp,
    ) -> Result<Result<ExplainedToken, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let claims = match verify_signed(tenant, &ring, token, None, now) {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(error)),
        };
        let person = match self.person_of(tenant, &claims).await? {
            Ok(person) => person,
            Err(error) => return Ok(Err(error)),
        };
        let revoked_by = self.facts(tenant).await?.revoked_by(claims.issued(person.as_ref()));
        let client = claims.client_id.clone().into_owned();
        Ok(Ok(ExplainedToken { client, revoked_by, token: UnconfirmedToken::new(claims) }))
    }
}

/// Waits until a token can be issued in a later second than this.
async fn wait_for(until: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, StoreError> {
    let Some(until) = until.filter(|until| now <= *until) else { return Ok(now) };
    let next = until + Lifetime::from_seconds(1);
    let wait = Lifetime::from_seconds(next.seconds() - now.seconds());
    if wait > LONGEST_WAIT {
        return Err(StoreError::unavailable(
            "this client's tokens are revoked for longer than a request waits",
        ));
    }
    // Boxed, because the futures of requests that wait for nothing would be as large.
    Box::pin(tokio::time::sleep(Duration::from_secs(wait.seconds()))).await;
    Ok(next)
}

/// An access token that is valid but for what may have revoked it.
#[derive(Debug)]
pub struct ExplainedToken {
    /// The client that it was issued to.
    pub client: String,
    /// What has revoked it.
    pub revoked_by: Option<RevokedBy>,
    /// The token, whose sender has proven nothing yet.
    pub token: UnconfirmedToken,
}

/// Signature, issuer, times, `typ` and, where given, audience.
fn verify_signed(
    tenant: &Tenant,
    ring: &KeyRing,
    token: &str,
    audience: Option<&str>,
    now: Timestamp,
) -> Result<AccessTokenClaims<'static>, TokenError> {
    let expectations = Expectations {
        is_issuer: &|iss| tenant.is_issuer(iss),
        accepts_typ: &|typ| tenant.access_token.accepts_typ(typ, now),
        audience,
        skew: tenant.signing.skew,
    };
    keys::verify(token, ring, now, &expectations)
}
