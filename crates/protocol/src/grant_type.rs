//! Grant types by their registered names (RFC 6749 §4.5, RFC 8628 §3.4, RFC 8693 §2.1, RFC 7523 §2.1).

use std::str::FromStr;

use derive_more::Display;
use serde::{Deserialize, Serialize};

/// A grant type that a client may be registered for. The token endpoint serves those of [`GrantType::SERVED`].
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[display("{}", self.as_str())]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 8628.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 8693.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// RFC 7523 §2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

impl GrantType {
    /// All grant types that a registration may name.
    pub const ALL: [Self; 6] = [
        Self::ClientCredentials,
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::JwtBearer,
    ];

    /// The grant types that the token endpoint serves. Metadata, OpenAPI and the refusal of other grant types follow this list.
    pub const SERVED: [Self; 1] = [Self::ClientCredentials];

    /// The value of `grant_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }
}

/// The text names no grant type of this server. The implicit and password grants are absent on purpose (RFC 9700 §2.1.2, §2.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a grant type that can be used here")]
pub struct UnknownGrantType;

impl FromStr for GrantType {
    type Err = UnknownGrantType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name).ok_or(UnknownGrantType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_the_password_grant_is_unknown() {
        for grant in GrantType::ALL {
            assert_eq!(grant.as_str().parse(), Ok(grant));
            assert_eq!(serde_json::to_value(grant).unwrap(), grant.as_str());
        }
        for name in ["password", "implicit", "CLIENT_CREDENTIALS"] {
            assert_eq!(name.parse::<GrantType>(), Err(UnknownGrantType), "{name}");
        }
    }
}
