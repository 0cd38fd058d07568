//! Why a request is refused.

use std::time::Duration;

use crate::TokenError;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It has no token.
    #[error("the request has no access token")]
    NoToken,
    /// It has several `Authorization` headers.
    #[error("the request has several Authorization headers")]
    SeveralTokens,
    /// The token is not valid here.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is valid, but the request does not prove the key that it is bound to.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// The token is valid, but its DPoP proof is not (RFC 9449 §7.1).
    #[error("{}", .0.description())]
    Proof(#[from] ProofError),
    /// The token is valid, but lacks this scope.
    #[error("Token does not have the required scope")]
    InsufficientScope(Box<str>),
    /// It cannot be known whether the token is valid, because the issuer's documents cannot be fetched.
    #[error("Token cannot be verified for now")]
    NotReady {
        /// When it may be worth another try.
        retry_after: Duration,
    },
}

/// Why a valid token is not accepted from this sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SenderError {
    /// A token that is bound to a key is presented as a bearer token (RFC 9449 §7.2).
    #[error("Token requires the DPoP scheme and a DPoP proof")]
    NeedsDpopProof,
    /// A token that is not bound to a key is presented with the scheme DPoP.
    #[error("Token is not bound to a DPoP key")]
    NotDpopBound,
    /// The proof is of another key.
    #[error("Token is not bound to the key of the DPoP proof")]
    OtherKey,
    /// The request has another client certificate, or none (RFC 8705 §3).
    #[error("Token is not bound to the client certificate of the request")]
    OtherCertificate,
}

/// Why a DPoP proof is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The request has none.
    #[error("the request has no DPoP proof")]
    Missing,
    /// The request has several.
    #[error("the request has several DPoP proofs")]
    Repeated,
    /// It is no JWT, or lacks a claim.
    #[error("the DPoP proof is malformed")]
    Malformed,
    /// `typ` is not `dpop+jwt`.
    #[error("the DPoP proof has another type")]
    OtherType,
    /// The header has a member that is not allowed.
    #[error("the header of the DPoP proof is not allowed")]
    HeaderNotAllowed,
    /// `alg` is not asymmetric, or not supported.
    #[error("the algorithm of the DPoP proof is not allowed")]
    AlgorithmNotAllowed,
    /// `jwk` is no public key for `alg`.
    #[error("the key of the DPoP proof cannot be used")]
    KeyNotUsable,
    /// `htm` is another method.
    #[error("the DPoP proof is for another method")]
    OtherMethod,
    /// `htu` is another URI than that below a public origin of this API.
    #[error("the DPoP proof is for another URI")]
    OtherUri,
    /// `iat` is more than a minute from now.
    #[error("the DPoP proof was not made now")]
    OtherTime,
    /// `ath` is not the hash of the access token.
    #[error("the DPoP proof is for another access token")]
    OtherToken,
    /// The key did not sign it.
    #[error("the signature of the DPoP proof is invalid")]
    SignatureInvalid,
    /// It was used before.
    #[error("the DPoP proof was used before")]
    Replayed,
}

impl ProofError {
    /// The description for the sender.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Missing => "The request must have a DPoP proof in the header DPoP",
            _ => "The DPoP proof is not accepted",
        }
    }
}

impl Reason {
    /// The error code for the sender (RFC 6750 §3.1); none where no token was sent.
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoToken => None,
            Self::SeveralTokens => Some("invalid_request"),
            Self::Token(_) | Self::Sender(_) => Some("invalid_token"),
            Self::Proof(_) => Some("invalid_dpop_proof"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
            Self::NotReady { .. } => Some("temporarily_unavailable"),
        }
    }

    /// The description for the sender.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Token(error) if !error.is_proven() => "Token is not accepted".to_owned(),
            other => other.to_string(),
        }
    }
}
