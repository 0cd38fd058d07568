//! The reason for refusing a token, for the log.

use latchkey_verifier::TokenError;
use protocol::RefusalReason;

/// An error that has a reason for the log.
pub trait Refused {
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
            // The other errors do not concern a JWT.
            _ => RefusalReason::TokenMalformed,
        }
    }
}
