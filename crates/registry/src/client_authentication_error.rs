//! Every way in which a client can fail to prove itself (RFC 6749 §5.2 `invalid_client`). Callers cannot tell refusals apart.

use protocol::{ErrorCode, Lifetime};
use tenancy::StoreError;

/// Why nobody was authenticated. The variants are for the log.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthenticationError {
    /// The credentials could not be read, or no client can have such an identifier.
    #[error("the client credentials are malformed")]
    Malformed,
    /// The tenant has no such client.
    #[error("the client is unknown")]
    UnknownClient,
    /// The client is suspended.
    #[error("the client is suspended")]
    ClientSuspended,
    /// The client must prove itself otherwise than by a secret.
    #[error("the client may not authenticate with a secret")]
    MethodNotAllowed,
    /// Nothing was presented that can be checked here.
    #[error("the authentication method is not served")]
    MethodNotServed,
    /// No live secret of the client matches.
    #[error("the client secret does not match")]
    SecretMismatch,
    /// It is a secret that everyone knows, on a server that others can reach.
    #[error("the client secret is a sample that everyone knows")]
    SampleSecret,
    /// It failed as the others did, and too many of its source did before it in this span, which lasts so much longer.
    #[error("too many client authentications failed")]
    TooManyFailures(Lifetime),
    /// Too many secrets wait to be checked.
    #[error("too many client secrets wait to be checked")]
    Busy,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClientAuthenticationError {
    /// Whether the caller failed, rather than this server.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self.error_code(), ErrorCode::InvalidClient)
    }

    /// The code that the caller sees.
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

    /// The sentence that the caller sees: one for all refusals, and one for those over the limit.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match self {
            Self::Malformed
            | Self::UnknownClient
            | Self::ClientSuspended
            | Self::MethodNotAllowed
            | Self::MethodNotServed
            | Self::SecretMismatch
            | Self::SampleSecret => "Client authentication failed",
            Self::TooManyFailures(_) => "Client authentication failed too often; try again later",
            Self::Busy | Self::Store(StoreError::Unavailable(_)) => "The server is temporarily unavailable",
            Self::Store(StoreError::Fault(_)) => "The server failed",
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
