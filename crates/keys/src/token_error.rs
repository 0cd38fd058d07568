//! Why a token is refused, and the description for its bearer (RFC 6750 §3.1).

use protocol::RefusalReason;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.description())]
pub enum TokenError {
    /// Not three parts of base64url, not JSON objects with unique members, too long, or a claim is missing or of a wrong type.
    Malformed,
    /// The header contains a key or a critical extension.
    HeaderNotAllowed,
    /// `none`, HMAC, an unknown algorithm, or another one than the key's.
    AlgorithmNotAllowed,
    /// A token of another issuer.
    ForeignIssuer,
    /// No published key has this identifier.
    UnknownKey,
    /// The key did not sign this.
    SignatureInvalid,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` is in the future.
    NotYetValid,
    /// A token of another kind, such as an assertion.
    WrongTyp,
    /// A token for another audience.
    WrongAudience,
    /// It, or what it was issued for, has been revoked.
    Revoked,
}

impl TokenError {
    /// The description for the bearer.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Malformed => "Token is malformed",
            Self::HeaderNotAllowed => "Token header is not allowed",
            Self::AlgorithmNotAllowed => "Token algorithm is not allowed",
            Self::ForeignIssuer => "Token issuer is not accepted",
            Self::UnknownKey => "Token key is unknown",
            Self::SignatureInvalid => "Token signature is invalid",
            Self::Expired => "Token has expired",
            Self::NotYetValid => "Token is not yet valid",
            Self::WrongTyp => "Token type is not accepted",
            Self::WrongAudience => "Token audience is not accepted",
            Self::Revoked => "Token has been revoked",
        }
    }

    /// The reason for the log.
    #[must_use]
    pub const fn reason(self) -> RefusalReason {
        match self {
            Self::Malformed => RefusalReason::TokenMalformed,
            Self::HeaderNotAllowed => RefusalReason::TokenHeaderNotAllowed,
            Self::AlgorithmNotAllowed => RefusalReason::TokenAlgorithmNotAllowed,
            Self::ForeignIssuer => RefusalReason::TokenOfAnotherIssuer,
            Self::UnknownKey => RefusalReason::TokenKeyUnknown,
            Self::SignatureInvalid => RefusalReason::TokenSignatureInvalid,
            Self::Expired => RefusalReason::TokenExpired,
            Self::NotYetValid => RefusalReason::TokenNotYetValid,
            Self::WrongTyp => RefusalReason::TokenOfAnotherType,
            Self::WrongAudience => RefusalReason::TokenForAnotherAudience,
            Self::Revoked => RefusalReason::TokenRevoked,
        }
    }
}
