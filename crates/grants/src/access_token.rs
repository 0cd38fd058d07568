//! The claims of an access token (RFC 9068 §2.2), and the client that a grant decides on.

use std::fmt;

use protocol::{Audience, Lifetime, Timestamp};
use registry::Client;
use serde::{Deserialize, Serialize};
use tenancy::Tenant;
use uuid::Uuid;

/// The claims of an access token, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The subject; the client itself when no user takes part.
    pub sub: String,
    /// The audience.
    pub aud: Audience,
    /// The time of expiry.
    pub exp: Timestamp,
    /// The time of issue.
    pub iat: Timestamp,
    /// The start of validity.
    pub nbf: Timestamp,
    /// The token identifier.
    pub jti: String,
    /// The granted scope; absent when it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The client that requested the token.
    pub client_id: String,
}

/// An authenticated client and its tenant: the facts that a grant decides on.
#[derive(Clone, Copy, Debug)]
pub struct Grantee<'a> {
    /// The tenant with its rules.
    pub tenant: &'a Tenant,
    /// The client, which has authenticated.
    pub client: &'a Client,
}

/// The identifier of a token (RFC 7519 §4.1.7): 122 random bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtId(String);

impl Grantee<'_> {
    /// The lifetime of its access tokens.
    #[must_use]
    pub(crate) fn lifetime(&self) -> Lifetime {
        self.client.token_lifetime(self.tenant)
    }

    /// `iss` of its tokens: the client's issuer alias as long as the tenant has that alias, otherwise the tenant's issuer.
    #[must_use]
    pub(crate) fn issuer(&self) -> String {
        let alias = self.client.issuer.as_ref().filter(|alias| self.tenant.is_issuer(alias.as_str()));
        alias.unwrap_or(&self.tenant.issuer).to_string()
    }
}

impl JwtId {
    /// Creates an identifier from text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Draws a new identifier: the only randomness of this crate. The engine passes it to the rules.
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
