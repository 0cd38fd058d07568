//! Why a client authentication failed (RFC 6749 §5.2 `invalid_client`). Callers cannot distinguish refusals.

use protocol::{ErrorCode, Lifetime};
use tenancy::StoreError;

/// A failed client authentication. The variants are for the log.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthenticationError {
    /// The credentials could not be read, or the identifier is malformed.
    #[error("the client credentials are malformed")]
    Malformed,
    /// The tenant has no such client.
    #[error("the client is unknown")]
    UnknownClient,
    /// The client is suspended.
    #[error("the client is suspended")]
    ClientSuspended,
    /// The client must authenticate by another method than a secret.
    #[error("the client may not authenticate with a secret")]
    MethodNotAllowed,
    /// The credentials are of a method that is not served.
    #[error("the authentication method is not served")]
    MethodNotServed,
    /// No live secret of the client matches.
    #[error("the client secret does not match")]
    SecretMismatch,
    /// The secret is a published sample, on a server that is reachable from outside.
    #[error("the client secret is a sample that everyone knows")]
    SampleSecret,
    /// The attempt failed, and its source was over the limit before; the span lasts this much longer.
    #[error("too many client authentications failed")]
    TooManyFailures(Lifetime),
    /// Too many secrets wait to be checked.
    #[error("too many client secrets wait to be checked")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClientAuthenticationError {
    /// Whether the caller failed, rather than this server.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self.error_code(), ErrorCode::InvalidClient)
    }

    /// The error code for the caller.
    #[must_use]
    pub const fn error_code(&self) -> ErrorCode {
        match self {
            Self::Malformed
            | Self::UnknownClient
            | Self::ClientSuspended
            | Self::MethodNotAllowed
            | Self::MethodNotServed
            | Self::SecretMismatch
            | Self::SampleSecret
            | Self::TooManyFailures(_) => ErrorCode::InvalidClient,
            Self::Busy | Self::Store(StoreError::Unavailable(_)) => ErrorCode::TemporarilyUnavailable,
            Self::Store(StoreError::Fault(_)) => ErrorCode::ServerError,
        }
    }

    /// The description for the caller: one for all refusals, and one for those over the limit.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match (self, self.error_code()) {
            (Self::TooManyFailures(_), _) => "Client authentication failed too often; try again later",
            (_, ErrorCode::InvalidClient) => "Client authentication failed",
            (_, ErrorCode::TemporarilyUnavailable) => "The server is temporarily unavailable",
            _ => "The server failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_refusals_look_alike_and_failures_of_ours_are_none() {
        use ClientAuthenticationError as E;
        for refusal in [
            E::Malformed,
            E::UnknownClient,
            E::ClientSuspended,
            E::MethodNotAllowed,
            E::MethodNotServed,
            E::SecretMismatch,
            E::SampleSecret,
        ] {
            assert!(refusal.is_refusal());
            assert_eq!(refusal.error_code(), ErrorCode::InvalidClient);
            assert_eq!(refusal.description(), "Client authentication failed");
        }
        let over = E::TooManyFailures(Lifetime::from_seconds(1));
        assert!(over.is_refusal() && over.description() != E::Malformed.description());
        for (failure, code) in [
            (E::Busy, ErrorCode::TemporarilyUnavailable),
            (E::Store(StoreError::unavailable("x")), ErrorCode::TemporarilyUnavailable),
            (E::Store(StoreError::fault("x")), ErrorCode::ServerError),
        ] {
            assert!(!failure.is_refusal());
            assert_eq!(failure.error_code(), code);
        }
    }
}
