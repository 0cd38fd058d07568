//! The counted kinds of requests.

use protocol::SigningAlgorithm;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// A token with client credentials, signed with RS256.
    TokenRs256,
    TokenEs256,
    TokenEdDsa,
    /// The tenant's keys.
    Jwks,
    /// The tenant's keys, for a caller that has the current version.
    JwksNotModified,
    /// Introspection of a valid RS256 token.
    Introspection,
}

impl RequestKind {
    /// In the order of the reports.
    pub const ALL: [Self; 6] = [
        Self::TokenRs256,
        Self::TokenEs256,
        Self::TokenEdDsa,
        Self::Jwks,
        Self::JwksNotModified,
        Self::Introspection,
    ];

    /// The name in reports and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TokenRs256 => "token RS256",
            Self::TokenEs256 => "token ES256",
            Self::TokenEdDsa => "token EdDSA",
            Self::Jwks => "JWKS 200",
            Self::JwksNotModified => "JWKS 304",
            Self::Introspection => "introspection",
        }
    }

    /// Each algorithm has its own tenant.
    pub(crate) fn algorithm(self) -> SigningAlgorithm {
        match self {
            Self::TokenEs256 => SigningAlgorithm::ES256,
            Self::TokenEdDsa => SigningAlgorithm::EdDSA,
            _ => SigningAlgorithm::RS256,
        }
    }

    /// The beginning of each response.
    pub(crate) fn status_line(self) -> &'static [u8] {
        match self {
            Self::JwksNotModified => b"HTTP/1.1 304 ",
            _ => b"HTTP/1.1 200 ",
        }
    }
}
