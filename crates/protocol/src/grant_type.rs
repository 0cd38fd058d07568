//! Grant types by their registered names (RFC 6749 §4.5, RFC 8628 §3.4, RFC 8693 §2.1, RFC 7523 §2.1).

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// The token endpoint serves only [`GrantType::SERVED`]. The implicit and password grants are
/// missing on purpose (RFC 9700 §2.1.2, §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 8628.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    #[strum(to_string = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 8693.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    #[strum(to_string = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// RFC 7523 §2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    #[strum(to_string = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

impl GrantType {
    /// Every grant type that a registration may contain.
    pub const ALL: [Self; 6] = [
        Self::ClientCredentials,
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::JwtBearer,
    ];

    /// The grant types of the token endpoint. Metadata, OpenAPI and the refusal of other grant
    /// types use this list.
    pub const SERVED: [Self; 4] =
        [Self::ClientCredentials, Self::AuthorizationCode, Self::RefreshToken, Self::DeviceCode];

    /// The grant types that give a client tokens for a person.
    pub const OF_PEOPLE: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::DeviceCode];

    /// The grant types of people that start with a sign-in. Refreshing continues one of them.
    pub const BEGINNINGS: [Self; 2] = [Self::AuthorizationCode, Self::DeviceCode];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [oauth RFC 6749 §4.2]: Implicit grant. Left out on purpose (RFC 9700 §2.1.2) | absent
    // [oauth RFC 6749 §4.3]: Password grant. Left out on purpose (RFC 9700 §2.4) | absent
    // [rfc9700 §2.1.2]: No implicit grant | The grant type does not exist in the code
    // [V10 10.4.4]
    #[test]
    fn names_round_trip_and_password_grant_is_unknown() {
        for grant in GrantType::ALL {
            assert_eq!(grant.as_str().parse(), Ok(grant));
            assert_eq!(serde_json::to_value(grant).unwrap(), grant.as_str());
        }
        for name in ["password", "implicit", "CLIENT_CREDENTIALS"] {
            assert!(name.parse::<GrantType>().is_err(), "{name}");
        }
    }
}
