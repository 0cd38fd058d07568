//! The counted kinds of requests.

use protocol::SigningAlgorithm;

/// One kind of warm request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// A token by client credentials, signed with RS256.
    TokenRs256,
    /// A token that is signed with ES256.
    TokenEs256,
    /// A token that is signed with EdDSA.
    TokenEdDsa,
    /// A tenant's keys.
    Jwks,
    /// The keys, for a caller that has them already.
    JwksNotModified,
    /// The claims of a live token that RS256 signed.
    Introspection,
}

impl RequestKind {
    /// All kinds in the order of the figures.
    pub const ALL: [Self; 6] = [
        Self::TokenRs256,
        Self::TokenEs256,
        Self::TokenEdDsa,
        Self::Jwks,
        Self::JwksNotModified,
        Self::Introspection,
    ];

    /// The name in figures and messages.
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

    /// The algorithm of the requested tenant. Each algorithm has a tenant.
    pub(crate) fn algorithm(self) -> SigningAlgorithm {
        match self {
            Self::TokenEs256 => SigningAlgorithm::ES256,
            Self::TokenEdDsa => SigningAlgorithm::EdDSA,
            _ => SigningAlgorithm::RS256,
        }
    }

    /// The beginning of each answer.
    pub(crate) fn status_line(self) -> &'static [u8] {
        match self {
            Self::JwksNotModified => b"HTTP/1.1 304 ",
            _ => b"HTTP/1.1 200 ",
        }
    }
}
