//! Why a token is refused, and the description for its bearer (RFC 6750 §3.1).

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.description())]
#[non_exhaustive]
pub enum TokenError {
    /// Not three parts of base64url, not JSON objects with unique members, too long, or a claim is
    /// missing or of a wrong type.
    Malformed,
    /// The header has a key, a certificate or a critical extension.
    HeaderNotAllowed,
    /// `none`, HMAC, an unknown algorithm, one that is not allowed here, or another one than the key's.
    AlgorithmNotAllowed,
    /// By introspection, it is not active.
    Inactive,
    /// No trusted issuer has this name.
    ForeignIssuer,
    /// The issuer publishes no usable key with this identifier.
    UnknownKey,
    /// The key did not sign this.
    SignatureInvalid,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` is in the future.
    NotYetValid,
    /// A token of another kind, such as an ID token.
    WrongTyp,
    /// A token for another audience.
    WrongAudience,
    /// It, or what it was issued for, has been revoked.
    Revoked,
}

impl TokenError {
    /// The description for a log.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Malformed => "Token is malformed",
            Self::HeaderNotAllowed => "Token header is not allowed",
            Self::AlgorithmNotAllowed => "Token algorithm is not allowed",
            Self::Inactive => "Token is not active",
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

    /// Whether an issuer's key signed the token, so that the answer may contain more. Otherwise all answers
    /// are equal, so that nobody learns which issuers and keys are known here.
    #[must_use]
    pub const fn is_proven(self) -> bool {
        match self {
            Self::Expired | Self::NotYetValid | Self::WrongTyp | Self::WrongAudience | Self::Revoked => true,
            Self::Malformed
            | Self::HeaderNotAllowed
            | Self::AlgorithmNotAllowed
            | Self::Inactive
            | Self::ForeignIssuer
            | Self::UnknownKey
            | Self::SignatureInvalid => false,
        }
    }
}
