//! The reason for refusing a token, for the log.

use latchkey_verifier::TokenError;
use protocol::RefusalReason;

/// An error that refuses a request for a reason.
pub trait Refused {
    /// The reason for the log.
    fn reason(self) -> RefusalReason;
}

impl Refused for TokenError {
    fn reason(self) -> RefusalReason {
        match self {
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
            // Only this one of the other errors concerns a JWT.
            _ => RefusalReason::TokenMalformed,
        }
    }
}
