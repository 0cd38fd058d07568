//! The claims of an access token (RFC 9068 §2.2), and the client that a grant decides about.

use std::borrow::Cow;

use keys::{SignError, SigningKey};
use protocol::{Audience, Confirmation, StaticClaims, TokenResponse};
use registry::{ApiKey, Client, IssuedToken, PersonOfToken};
use serde::{Deserialize, Deserializer, Serialize};
use sessions::SessionId;
use tenancy::Tenant;
use values::{Lifetime, Timestamp, skip_serializing_none};

use crate::NamedPerson;
use crate::sender_constraint::token_type;

/// The claims of an access token, in the order in which they are written. The claims of a new token borrow
/// from tenant and client; those of a verified token own their text.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims<'a> {
    /// The issuer.
    pub iss: Cow<'a, str>,
    /// The subject; the client itself when no user takes part.
    pub sub: Cow<'a, str>,
    /// The audience.
    pub aud: Audience<'a>,
    /// The time of expiry.
    pub exp: Timestamp,
    /// The time of issue.
    pub iat: Timestamp,
    /// The start of validity.
    pub nbf: Timestamp,
    /// The token identifier: a tag of the credential that authenticated, and 90 random bits.
    pub jti: String,
    /// The granted scope; absent when it is empty.
    pub scope: Option<String>,
    /// The client that requested the token.
    pub client_id: Cow<'a, str>,
    /// When the person last authenticated (RFC 9068 §2.2.1). Absent if no person takes part.
    pub auth_time: Option<Timestamp>,
    /// How well that was proven.
    pub acr: Option<Cow<'a, str>>,
    /// The person's session.
    pub sid: Option<Cow<'a, str>>,
    /// The claims that the userinfo endpoint returns for this token beside those of the scope. This claim is
    /// no standard's: the endpoint reads no store.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo_claims: Vec<String>,
    /// The grant of a person that this token follows from. This claim is no standard's.
    pub grant_id: Option<Cow<'a, str>>,
    /// The API key that it was issued for. Ours: no standard has a name for it.
    pub api_key: Option<Cow<'a, str>>,
    /// The key that the sender of the token must prove to hold (RFC 7800 §3.1).
    #[serde(default, deserialize_with = "confirmation")]
    pub cnf: Option<Confirmation>,
}

/// The token's claims after the static claims of client and tenant. Rules ensure that no new static claim
/// reads as one of the token; where one of before does, a reader that takes the last one takes the server's.
#[derive(Serialize)]
struct WithStaticClaims<'c> {
    #[serde(flatten, serialize_with = "StaticClaims::write")]
    more: &'c StaticClaims,
    #[serde(flatten)]
    claims: &'c AccessTokenClaims<'c>,
}

impl<'a> AccessTokenClaims<'a> {
    /// The claims of a token that a client gets for itself, valid from `iat` on. No key binds it.
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

    /// Signs the token with its claims and the static claims of client and tenant.
    pub(crate) fn sign(&self, key: &SigningKey, grantee: &Grantee<'_>) -> Result<String, SignError> {
        let typ = &grantee.tenant.access_token.typ;
        let more = grantee.static_claims();
        if more.is_empty() {
            key.sign(typ, self)
        } else {
            key.sign(typ, &WithStaticClaims { claims: self, more: &more })
        }
    }

    /// The answer that brings this token, and nothing else.
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

    /// Adds the API key that the token is issued for, if there is one. The token ends with the key at the
    /// latest.
    pub(crate) fn of_api_key(self, key: Option<&'a ApiKey>) -> Self {
        let Some(key) = key else { return self };
        let exp = self.exp.min(key.expires_at.max(self.iat));
        Self { exp, api_key: Some(key.id.as_str().into()), ..self }
    }

    /// Whether a person has granted it.
    pub(crate) const fn is_of_person(&self) -> bool {
        self.grant_id.is_some() || self.sid.is_some()
    }

    /// The facts that decide whether the token of these claims and of this person is revoked.
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

/// `null` is no confirmation, so that it makes no bearer token either.
fn confirmation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Confirmation>, D::Error> {
    Confirmation::deserialize(deserializer).map(Some)
}

/// An authenticated client and its tenant: the facts that a grant decides on.
#[derive(Clone, Copy, Debug)]
pub struct Grantee<'a> {
    /// The tenant with its rules.
    pub tenant: &'a Tenant,
    /// The client, which has authenticated.
    pub client: &'a Client,
}

impl<'a> Grantee<'a> {
    /// The lifetime of its access tokens.
    #[must_use]
    pub(crate) fn lifetime(&self) -> Lifetime {
        self.client.token_lifetime(self.tenant)
    }

    /// The static claims of the client's access tokens, beside the claims of the grant.
    #[must_use]
    pub fn static_claims(&self) -> Cow<'a, StaticClaims> {
        self.tenant.access_token.claims.with(&self.client.claims)
    }

    /// `iss` of the client's tokens: the client's issuer alias as long as the tenant has that alias,
    /// otherwise the tenant's issuer.
    #[must_use]
    pub(crate) fn issuer(&self) -> &'a str {
        let alias = self.client.issuer.as_ref().filter(|alias| self.tenant.is_issuer(alias.as_str()));
        alias.unwrap_or(&self.tenant.issuer).as_str()
    }
}
