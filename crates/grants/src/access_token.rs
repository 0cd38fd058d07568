//! The claims of an access token (RFC 9068 §2.2), and the client that a grant decides about.

use std::borrow::Cow;

use keys::{KeyAlgorithm, SignError, TenantKey};
use protocol::{Audience, Confirmation, StaticClaims, TokenResponse};
use registry::{ApiKey, Client, IssuedToken, PersonOfToken};
use serde::{Deserialize, Deserializer, Serialize};
use sessions::SessionId;
use tenancy::{Tenant, TokenFormat};
use values::{Lifetime, Timestamp, skip_serializing_none};

use crate::NamedPerson;
use crate::sender_constraint::token_type;

/// The members have the order of the JSON. The claims of a new token borrow from tenant and client;
/// those of a verified token own their text.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims<'a> {
    pub iss: Cow<'a, str>,
    /// The person, or the client if no person takes part.
    pub sub: Cow<'a, str>,
    pub aud: Audience<'a>,
    pub exp: Timestamp,
    pub iat: Timestamp,
    pub nbf: Timestamp,
    /// A tag of the credential that the client authenticated with, and 90 random bits.
    pub jti: String,
    /// `None` if no scope was granted.
    pub scope: Option<String>,
    pub client_id: Cow<'a, str>,
    /// When the person last authenticated (RFC 9068 §2.2.1). Absent if no person takes part.
    pub auth_time: Option<Timestamp>,
    /// The authentication context class of that sign-in.
    pub acr: Option<Cow<'a, str>>,
    pub sid: Option<Cow<'a, str>>,
    /// Claims that the userinfo endpoint returns in addition to those of the scope. The endpoint
    /// reads them from the token, because it reads no grants from the store. Not a standard claim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo_claims: Vec<String>,
    /// The person's grant, which all tokens of the grant share. Not a standard claim.
    pub grant_id: Option<Cow<'a, str>>,
    /// The API key that the client authenticated with. Not a standard claim.
    pub api_key: Option<Cow<'a, str>>,
    /// The key or certificate that the sender must prove possession of (RFC 7800 §3.1).
    #[serde(default, deserialize_with = "confirmation")]
    pub cnf: Option<Confirmation>,
}

/// Writes the static claims first. New static claims cannot have the name of a token claim. An
/// older static claim might; a reader that uses the last of two members then uses the server's
/// claim.
#[derive(Serialize)]
struct WithStaticClaims<'c> {
    #[serde(flatten, serialize_with = "StaticClaims::write")]
    more: &'c StaticClaims,
    #[serde(flatten)]
    claims: &'c AccessTokenClaims<'c>,
}

impl<'a> AccessTokenClaims<'a> {
    /// The claims of a token for the client itself, not bound to a key.
    pub(crate) fn of_client(
        iss: impl Into<Cow<'a, str>>,
        client: impl Into<Cow<'a, str>>,
        aud: Audience<'a>,
        iat: Timestamp,
        exp: Timestamp,
        jti: String,
    ) -> Self {
        let client_id = client.into();
        Self {
            iss: iss.into(),
            sub: client_id.clone(),
            aud,
            exp,
            iat,
            nbf: iat,
            jti,
            scope: None,
            client_id,
            auth_time: None,
            acr: None,
            sid: None,
            userinfo_claims: Vec::new(),
            grant_id: None,
            api_key: None,
            cnf: None,
        }
    }

    /// The token: signed as a JWT, or encrypted as an opaque token.
    pub(crate) fn encode(
        &self,
        key: &TenantKey,
        tenant: &Tenant,
        more: &StaticClaims,
    ) -> Result<String, SignError> {
        if more.is_empty() {
            encode(key, tenant, self)
        } else {
            encode(key, tenant, &WithStaticClaims { claims: self, more })
        }
    }

    /// A response without a refresh token and an ID token.
    pub(crate) fn response(self, access_token: String) -> TokenResponse {
        TokenResponse {
            access_token,
            token_type: token_type(self.cnf.as_ref()),
            expires_in: self.exp.seconds() - self.iat.seconds(),
            scope: self.scope,
            id_token: None,
            refresh_token: None,
        }
    }

    /// Adds the API key that the client authenticated with. The token expires when the key expires,
    /// or earlier.
    pub(crate) fn of_api_key(self, key: Option<&'a ApiKey>) -> Self {
        let Some(key) = key else { return self };
        let exp = self.exp.min(key.expires_at.max(self.iat));
        Self { exp, api_key: Some(key.id.as_str().into()), ..self }
    }

    pub(crate) fn has_scope(&self, name: &str) -> bool {
        self.scope.as_deref().unwrap_or_default().split(' ').any(|token| token == name)
    }

    pub(crate) const fn is_of_person(&self) -> bool {
        self.grant_id.is_some() || self.sid.is_some()
    }

    /// The facts that decide whether the token is revoked.
    pub(crate) fn issued<'t>(&'t self, person: Option<&'t NamedPerson>) -> IssuedToken<'t> {
        let person = person.map(|person| PersonOfToken {
            account: person.account.as_str(),
            sub: &self.sub,
            session: person.session.as_ref().map(SessionId::as_str),
            grant: self.grant_id.as_deref(),
        });
        IssuedToken { client: &self.client_id, jti: &self.jti, issued_at: self.iat, person }
    }
}

fn encode(key: &TenantKey, tenant: &Tenant, claims: &impl Serialize) -> Result<String, SignError> {
    match key {
        TenantKey::Signing(key) => key.sign(&tenant.access_token.typ, claims),
        TenantKey::OpaqueTokens(key) => key.seal(&tenant.id, claims),
    }
}

/// Refuses `null`, which would otherwise turn a bound token into a bearer token.
fn confirmation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Confirmation>, D::Error> {
    Confirmation::deserialize(deserializer).map(Some)
}

#[derive(Clone, Copy, Debug)]
pub struct Grantee<'a> {
    pub tenant: &'a Tenant,
    /// Has authenticated.
    pub client: &'a Client,
}

impl<'a> Grantee<'a> {
    #[must_use]
    pub(crate) fn lifetime(&self) -> Lifetime {
        self.client.token_lifetime(self.tenant)
    }

    /// The format of a token for audiences that have none of their own.
    pub(crate) fn own_token_format(&self) -> TokenFormat {
        self.client.access_token.format.unwrap_or(self.tenant.access_token.format)
    }

    /// The format of a token for these audiences: opaque if one of them says so, otherwise as one of them
    /// says, or the client, or the tenant.
    pub(crate) fn token_format(&self, audience: &Audience<'_>) -> TokenFormat {
        let own = self.own_token_format();
        // Few tenants have such APIs, and others need not be searched.
        if self.tenant.resource_servers.iter().all(|server| server.token_format.is_none()) {
            return own;
        }
        let format = |name: &str| self.tenant.server_of_resource(name)?.token_format;
        audience.iter().filter_map(format).max().unwrap_or(own)
    }

    /// The algorithm of a token for these audiences.
    #[must_use]
    pub fn token_algorithm(&self, audience: &Audience<'_>) -> KeyAlgorithm {
        match self.token_format(audience) {
            TokenFormat::Jwt => self.tenant.signing.algorithm.into(),
            TokenFormat::Opaque => KeyAlgorithm::OpaqueTokens,
        }
    }

    /// The static claims of the client and its tenant.
    #[must_use]
    pub fn static_claims(&self) -> Cow<'a, StaticClaims> {
        self.tenant.access_token.claims.with(&self.client.claims)
    }

    /// The client's issuer alias, if the tenant still has that alias. Otherwise the tenant's
    /// issuer.
    #[must_use]
    pub(crate) fn issuer(&self) -> &'a str {
        let alias = self.client.issuer.as_ref().filter(|alias| self.tenant.is_issuer(alias.as_str()));
        alias.unwrap_or(&self.tenant.issuer).as_str()
    }
}
