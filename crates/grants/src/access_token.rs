//! What an access token says (RFC 9068 §2.2), and whom a grant judges.

use std::fmt;

use protocol::{Audience, Lifetime, Timestamp};
use registry::Client;
use serde::{Deserialize, Serialize};
use tenancy::Tenant;
use uuid::Uuid;

/// The claims of an access token, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// Who issued it.
    pub iss: String,
    /// Whom it speaks for; the client itself where no user takes part.
    pub sub: String,
    /// Whom it is for.
    pub aud: Audience,
    /// When it ends.
    pub exp: Timestamp,
    /// When it was issued.
    pub iat: Timestamp,
    /// When it begins.
    pub nbf: Timestamp,
    /// Its identifier.
    pub jti: String,
    /// What was granted; absent where that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// To whom it was issued.
    pub client_id: String,
}

/// Whom a grant judges: a client, under the rules of its tenant.
#[derive(Clone, Copy, Debug)]
pub struct Grantee<'a> {
    /// The rules.
    pub tenant: &'a Tenant,
    /// The client; that it is who it claims to be has been proven before.
    pub client: &'a Client,
}

/// The identifier of a token (RFC 7519 §4.1.7): 122 random bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtId(String);

impl Grantee<'_> {
    /// How long its tokens live.
    #[must_use]
    pub(crate) fn lifetime(&self) -> Lifetime {
        self.client.access_token_lifetime.unwrap_or(self.tenant.access_token.lifetime)
    }

    /// `iss` of its tokens: an alias that it was given, while that is still the tenant's.
    #[must_use]
    pub(crate) fn issuer(&self) -> String {
        let alias = self.client.issuer.as_ref().filter(|alias| self.tenant.is_issuer(alias.as_str()));
        alias.unwrap_or(&self.tenant.issuer).to_string()
    }
}

impl JwtId {
    /// From its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A new one; the only randomness of this crate, drawn by the engine and passed to the rules.
    #[must_use]
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4().to_string())
    }
}

impl fmt::Display for JwtId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
