//! Introspection and verification of access tokens.

use keys::{Expectations, KeyError, OPAQUE_TOKEN_PREFIX, TokenError, key_of_opaque_token};
use protocol::{ActiveToken, IntrospectionResponse, PresentedToken, StaticClaims, api_key_name};
use registry::{AuthenticatedClient, ClientId, RevokedBy};
use secrets::CallerAddress;
use tenancy::Tenant;
use values::{Secret, Timestamp};

use super::{Engine, GrantError};
use crate::{
    AccessTokenClaims, BearerError, GrantedGroups, Grantee, ResourceRequirement, UnconfirmedToken,
    administration_access, api_key_token, introspection, refresh_token_text, refreshing, resource_access,
};

/// A token whose signature and times are valid, and which may be revoked.
#[derive(Debug)]
pub struct InspectedToken {
    pub client: String,
    pub revoked_by: Option<RevokedBy>,
    /// The groups that new tokens of the grant and userinfo contain. `None` without the scope `groups`.
    pub groups: Option<GrantedGroups>,
    /// The sender has not proven possession of the token's key yet.
    pub token: UnconfirmedToken,
}

impl Engine {
    /// Introspects a token (RFC 7662) or an API key for a caller. An introspected API key counts as
    /// used from `source`.
    ///
    /// # Errors If keys or store fail: the server must then report the token neither as active nor
    /// as inactive.
    pub async fn introspect(
        &self,
        tenant: &Tenant,
        caller: &AuthenticatedClient,
        token: &Secret,
        source: &CallerAddress,
        now: Timestamp,
    ) -> Result<IntrospectionResponse, GrantError> {
        let caller = Grantee { tenant, client: caller.client() };
        if token.expose().starts_with(refresh_token_text::PREFIX) {
            return Ok(Box::pin(refreshing::introspect(self, &caller, token, now)).await?.into());
        }
        if api_key_name(token.expose()).is_some() {
            return Ok(Box::pin(self.introspect_api_key(&caller, token, source, now)).await?.into());
        }
        let claims = self.verify(tenant, token.expose(), None, now).await?.ok();
        let live = claims.and_then(|claims| Some((ClientId::parse(&claims.client_id).ok()?, claims)));
        let Some((holder, claims)) = live else { return Ok(IntrospectionResponse::INACTIVE) };
        let holder = self.clients.find_client(&tenant.id, &holder).await?;
        let answer = introspection::decide(claims, &caller, holder.as_deref());
        let Some((answer, client)) = answer.zip(holder) else { return Ok(IntrospectionResponse::INACTIVE) };
        let claims = self.carried(&Grantee { tenant, client: &client }, token.expose(), now).await?;
        Ok(Some(ActiveToken { claims, ..answer }).into())
    }

    /// Reports an API key as an access token of its client. Inactive if the caller may not
    /// introspect the key.
    async fn introspect_api_key(
        &self,
        caller: &Grantee<'_>,
        text: &Secret,
        source: &CallerAddress,
        now: Timestamp,
    ) -> Result<Option<ActiveToken>, GrantError> {
        let tenant = caller.tenant;
        let Some(key) = self.api_keys.present(tenant, text.expose(), source, now).await? else {
            return Ok(None);
        };
        let client = self.clients.find_client(&key.tenant, &key.client).await?;
        let Some(holder) = client.and_then(|client| key.narrowed(&client)) else { return Ok(None) };
        let claims = api_key_token::claims(&key, &Grantee { tenant, client: &holder });
        let token = claims.and_then(|claims| introspection::decide(claims, caller, Some(&holder)));
        Ok(token.map(|token| {
            self.api_keys.note_use(&key, source, now);
            let claims = Grantee { tenant, client: &holder }.static_claims().into_owned();
            ActiveToken { owner: key.owner.clone(), labels: Some(key.labels.clone()), claims, ..token }
        }))
    }

    /// Checks that a token allows the use of a resource of the tenant (RFC 6750 §3.1), and that the
    /// sender has proven the keys of the token.
    ///
    /// # Errors [`GrantError::Bearer`] when the token is refused. [`GrantError::Keys`] when the
    /// tenant's keys fail.
    pub async fn admit(
        &self,
        tenant: &Tenant,
        token: &PresentedToken,
        resource: &ResourceRequirement,
        now: Timestamp,
    ) -> Result<UnconfirmedToken, GrantError> {
        let claims = self.verify(tenant, token.expose(), Some(&resource.audience), now).await?;
        let claims = claims.map_err(BearerError::from)?;
        resource_access::decide(&claims, resource)?;
        Ok(UnconfirmedToken::new(claims))
    }

    /// The same check as [`Engine::admit`], for an API key.
    ///
    /// # Errors If the key is refused.
    pub fn admit_api_key(
        tenant: &Tenant,
        client: &AuthenticatedClient,
        resource: &ResourceRequirement,
    ) -> Result<UnconfirmedToken, BearerError> {
        let grantee = Grantee { tenant, client: client.client() };
        let claims = client.proof().api_key().and_then(|key| api_key_token::claims(key, &grantee));
        let claims = claims.ok_or(TokenError::Inactive)?;
        if !claims.aud.iter().any(|audience| audience == resource.audience) {
            return Err(TokenError::WrongAudience.into());
        }
        resource_access::decide(&claims, resource)?;
        Ok(UnconfirmedToken::new(claims))
    }

    /// Checks that a token allows administering its tenant (or the whole platform, for the reserved
    /// tenant), and that the sender has proven the keys of the token. The caller has to check the
    /// client's current permissions.
    ///
    /// # Errors [`GrantError::Bearer`] when the token is refused. [`GrantError::Keys`] when the
    /// tenant's keys fail.
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

    /// Checks signature, issuer, times, `typ`, the audience if one is given, and revocations.
    /// Refuses every token if the tenant's revocations cannot be loaded.
    pub(super) async fn verify(
        &self,
        tenant: &Tenant,
        token: &str,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<AccessTokenClaims<'static>, TokenError>, KeyError> {
        let claims = match self.read_token(tenant, token, audience, now).await? {
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

    /// For an administrator who asks why a token is refused. No access depends on the result.
    ///
    /// # Errors If keys or store fail.
    pub async fn explain_token(
        &self,
        tenant: &Tenant,
        token: &str,
        now: Timestamp,
    ) -> Result<Result<InspectedToken, TokenError>, KeyError> {
        let claims = match self.read_token(tenant, token, None, now).await? {
            Ok(claims) => claims,
            Err(error) => return Ok(Err(error)),
        };
        let person = match self.person_of(tenant, &claims).await? {
            Ok(person) => person,
            Err(error) => return Ok(Err(error)),
        };
        let revoked_by = self.facts(tenant).await?.revoked_by(claims.issued(person.as_ref()));
        let account = match &person {
            Some(person) => self.accounts.find_account(&tenant.id, &person.account).await?,
            None => None,
        };
        let groups = match account {
            Some(account) => self.granted_groups(tenant, &claims, &account).await?,
            None => None,
        };
        let client = claims.client_id.clone().into_owned();
        Ok(Ok(InspectedToken { client, revoked_by, groups, token: UnconfirmedToken::new(claims) }))
    }

    /// Checks key, issuer, times, for a JWT `typ`, and the audience if one is given.
    async fn read_token(
        &self,
        tenant: &Tenant,
        token: &str,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<AccessTokenClaims<'static>, TokenError>, KeyError> {
        let expectations = Expectations {
            is_issuer: &|iss| tenant.is_issuer(iss),
            accepts_typ: &|typ| tenant.access_token.accepts_typ(typ, now),
            audience,
            skew: tenant.signing.skew,
        };
        let ring = self.keys.ring(tenant, now).await?;
        if !token.starts_with(OPAQUE_TOKEN_PREFIX) {
            return Ok(keys::verify(token, &*ring, now, &expectations));
        }
        let opened = keys::open_token(token, &tenant.id, &ring, now, &expectations);
        if let (Err(TokenError::UnknownKey), Some(id)) = (&opened, key_of_opaque_token(token)) {
            self.keys.ensure_read(&tenant.id, &ring, id).await?;
        }
        Ok(opened)
    }

    /// The claims of a verified token that are not its own: of its client, its tenant and its person.
    async fn carried(
        &self,
        holder: &Grantee<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<StaticClaims, KeyError> {
        let (tenant, names) = (holder.tenant, introspection::carried_names(holder));
        if names.is_empty() {
            return Ok(StaticClaims::default());
        }
        let ring = self.keys.ring(tenant, now).await?;
        let payload = keys::payload(token, &tenant.id, &ring, now);
        Ok(introspection::carried(names, payload.as_ref().map_or(&[], |payload| payload)))
    }
}
