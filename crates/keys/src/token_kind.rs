//! The kind of token that a `typ` header names (RFC 8725 §3.11), and the checks of each kind. Add the list of
//! checks for a new kind here.

use tenancy::bare_media_type;

use crate::Check;
use crate::check::CHECKS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtKind {
    /// RFC 9068.
    AccessToken,
    /// The assertion of a person who signed in at the Thunder-compatible API.
    AdminAssertion,
    /// RFC 9449.
    DpopProof,
    /// RFC 7523.
    ClientAssertion,
    /// OpenID Connect Back-Channel Logout.
    LogoutToken,
    /// RFC 8417.
    SecurityEvent,
    /// RFC 9101.
    RequestObject,
    /// RFC 9701.
    IntrospectionResponse,
    /// `JWT` or no `typ`: an ID token, a client assertion, or an access token of a tenant with this `typ`.
    Unnamed,
    Other,
}

/// The checks of every JWT that an issuer signs with a published key.
const SIGNED_BY_AN_ISSUER: [Check; 11] = [
    Check::Length,
    Check::Parts,
    Check::Encoding,
    Check::HeaderObject,
    Check::ClaimsObject,
    Check::HeaderTypes,
    Check::Algorithm,
    Check::Issuer,
    Check::Key,
    Check::KeyAlgorithm,
    Check::Signature,
];

/// The checks of every JWT that do not need the issuer (RFC 7519 §7.2).
const GENERIC: &[Check] = SIGNED_BY_AN_ISSUER.split_at(7).0;

impl JwtKind {
    #[must_use]
    pub fn from_typ(typ: Option<&str>) -> Self {
        match bare_media_type(typ.unwrap_or_default()).to_ascii_lowercase().as_str() {
            "at+jwt" => Self::AccessToken,
            "latchkey-admin+jwt" => Self::AdminAssertion,
            "dpop+jwt" => Self::DpopProof,
            "client-authentication+jwt" => Self::ClientAssertion,
            "logout+jwt" => Self::LogoutToken,
            "secevent+jwt" => Self::SecurityEvent,
            "oauth-authz-req+jwt" => Self::RequestObject,
            "token-introspection+jwt" => Self::IntrospectionResponse,
            "" | "jwt" => Self::Unnamed,
            _ => Self::Other,
        }
    }

    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::AccessToken => "an access token (RFC 9068)",
            Self::AdminAssertion => "an assertion for the Thunder-compatible administration",
            Self::DpopProof => "a DPoP proof (RFC 9449), which a client sends together with an access token",
            Self::ClientAssertion => {
                "a client assertion (RFC 7523), with which a client authenticates at the token endpoint"
            }
            Self::LogoutToken => "a logout token (OpenID Connect Back-Channel Logout)",
            Self::SecurityEvent => "a security event token (RFC 8417)",
            Self::RequestObject => "a request object (RFC 9101)",
            Self::IntrospectionResponse => "an introspection response (RFC 9701)",
            Self::Unnamed => {
                "a JWT whose `typ` does not identify its kind: an ID token, a client assertion or an older \
                    access token"
            }
            Self::Other => "a token of another kind",
        }
    }

    /// The checks for this kind. A kind that Latchkey does not verify has only the checks that apply to every
    /// JWT.
    #[must_use]
    pub const fn checks(self) -> &'static [Check] {
        match self {
            Self::AccessToken | Self::AdminAssertion => &CHECKS,
            Self::LogoutToken | Self::SecurityEvent | Self::IntrospectionResponse => &SIGNED_BY_AN_ISSUER,
            Self::DpopProof | Self::ClientAssertion | Self::RequestObject | Self::Unnamed | Self::Other => {
                GENERIC
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typ_is_read_with_or_without_application_prefix() {
        for (typ, expected) in [
            (Some("at+jwt"), JwtKind::AccessToken),
            (Some("application/AT+JWT"), JwtKind::AccessToken),
            (Some("latchkey-admin+jwt"), JwtKind::AdminAssertion),
            (Some("dpop+jwt"), JwtKind::DpopProof),
            (Some("logout+jwt"), JwtKind::LogoutToken),
            (Some("JWT"), JwtKind::Unnamed),
            (None, JwtKind::Unnamed),
            (Some("x"), JwtKind::Other),
        ] {
            assert_eq!(JwtKind::from_typ(typ), expected, "{typ:?}");
        }
    }

    #[test]
    fn generic_checks_keep_the_overall_order() {
        assert_eq!(GENERIC.last(), Some(&Check::Algorithm));
        for checks in [GENERIC, &SIGNED_BY_AN_ISSUER] {
            let ordered: Vec<_> = CHECKS.into_iter().filter(|check| checks.contains(check)).collect();
            assert_eq!(ordered, checks);
        }
    }
}
