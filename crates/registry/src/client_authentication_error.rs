//! Why a client authentication failed (RFC 6749 §5.2 `invalid_client`). Callers cannot distinguish refusals.

use std::sync::Arc;

use protocol::{ClientAuthentication, ErrorCode, Lifetime, RefusalReason};
use tenancy::StoreError;

use crate::{AssertionError, CertificateError, CertificateMethod, Client, SecretId};

/// A failed client authentication. The variants are for the log; a client in one is registered, and has not proven that it sent the request.
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
    ClientSuspended(Arc<Client>),
    /// The client must authenticate by another method than a secret.
    #[error("the client may not authenticate with a secret")]
    MethodNotAllowed(Arc<Client>),
    /// A client is named, and no credential.
    #[error("the request has no credential")]
    CredentialMissing,
    /// No secret of the client matches.
    #[error("the client secret does not match")]
    SecretMismatch(Arc<Client>),
    /// The secret of the client has expired.
    #[error("the client secret has expired")]
    SecretExpired(Arc<Client>, SecretId),
    /// The secret of the client was revoked.
    #[error("the client secret was revoked")]
    SecretRevoked(Arc<Client>, SecretId),
    /// The secret is a published sample, on a server that is reachable from outside.
    #[error("the client secret is a sample that everyone knows")]
    SampleSecret(Arc<Client>),
    /// The assertion is not accepted.
    #[error("the client assertion is refused: {1:?}")]
    AssertionRefused(Arc<Client>, AssertionError),
    /// The certificate is not accepted.
    #[error("the client certificate is refused: {1:?}")]
    CertificateRefused(Arc<Client>, CertificateError),
    /// The attempt failed, and its source was over the limit before.
    #[error("too many client authentications failed")]
    TooManyFailures {
        /// The span of the limit lasts this much longer.
        wait: Lifetime,
        /// The refusal of the attempt itself.
        refusal: Box<Self>,
    },
    /// As many assertions of the tenant as are remembered have not expired yet.
    #[error("too many client assertions of the tenant have not expired yet")]
    TooManyAssertions,
    /// Too many secrets wait to be checked.
    #[error("too many client secrets wait to be checked")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClientAuthenticationError {
    /// The refusal of credentials in which there is no secret to check.
    #[must_use]
    pub const fn without_secret(credentials: &ClientAuthentication) -> Self {
        match credentials {
            ClientAuthentication::Basic(_)
            | ClientAuthentication::Post(_)
            | ClientAuthentication::Assertion(_)
            | ClientAuthentication::Certificate { .. } => Self::Malformed,
            // RFC 6749 §2.3: a client with credentials authenticates; its identifier alone proves nothing.
            ClientAuthentication::None { .. } => Self::CredentialMissing,
        }
    }

    /// By which method the client is checked whose certificate was refused.
    #[must_use]
    pub fn certificate_method(&self) -> Option<CertificateMethod> {
        match self {
            Self::CertificateRefused(client, _) => Some(CertificateMethod::of(client)),
            Self::TooManyFailures { refusal, .. } => refusal.certificate_method(),
            _ => None,
        }
    }

    /// Whether the caller failed, rather than this server.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self.error_code(), ErrorCode::InvalidClient)
    }

    /// The error code for the caller.
    #[must_use]
    pub const fn error_code(&self) -> ErrorCode {
        match self {
            // RFC 7521 §4.2.1, RFC 7523 §3.2 and RFC 8705 §2: a bad assertion or certificate has this code, too.
            Self::Malformed
            | Self::UnknownClient
            | Self::ClientSuspended(_)
            | Self::MethodNotAllowed(_)
            | Self::CredentialMissing
            | Self::SecretMismatch(_)
            | Self::SecretExpired(..)
            | Self::SecretRevoked(..)
            | Self::SampleSecret(_)
            | Self::AssertionRefused(..)
            | Self::CertificateRefused(..)
            | Self::TooManyFailures { .. } => ErrorCode::InvalidClient,
            Self::Busy | Self::TooManyAssertions | Self::Store(StoreError::Unavailable(_)) => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::Store(StoreError::Fault(_)) => ErrorCode::ServerError,
        }
    }

    /// The description for the caller: one for all refusals, and one for those over the limit.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match (self, self.error_code()) {
            (Self::TooManyFailures { .. }, _) => "Client authentication failed too often; try again later",
            (_, ErrorCode::InvalidClient) => "Client authentication failed",
            (_, ErrorCode::TemporarilyUnavailable) => "The server is temporarily unavailable",
            _ => "The server failed",
        }
    }

    /// The reason for the log.
    #[must_use]
    pub const fn reason(&self) -> RefusalReason {
        match self {
            Self::Malformed => RefusalReason::MalformedCredentials,
            Self::UnknownClient => RefusalReason::UnknownClient,
            Self::ClientSuspended(_) => RefusalReason::ClientSuspended,
            Self::MethodNotAllowed(_) => RefusalReason::MethodNotRegistered,
            Self::CredentialMissing => RefusalReason::CredentialMissing,
            Self::SecretMismatch(_) => RefusalReason::WrongSecret,
            Self::SecretExpired(..) => RefusalReason::ExpiredSecret,
            Self::SecretRevoked(..) => RefusalReason::RevokedSecret,
            Self::SampleSecret(_) => RefusalReason::SampleSecret,
            Self::AssertionRefused(_, error) => error.reason(),
            Self::CertificateRefused(_, error) => error.reason(),
            Self::TooManyFailures { refusal, .. } => refusal.reason(),
            Self::TooManyAssertions => RefusalReason::LimitReached,
            Self::Busy | Self::Store(StoreError::Unavailable(_)) => RefusalReason::Unavailable,
            Self::Store(StoreError::Fault(_)) => RefusalReason::ServerFault,
        }
    }

    /// The registered client that the request named, where it was found.
    #[must_use]
    pub const fn claimed_client(&self) -> Option<&Arc<Client>> {
        match self {
            Self::ClientSuspended(client)
            | Self::MethodNotAllowed(client)
            | Self::SecretMismatch(client)
            | Self::SecretExpired(client, _)
            | Self::SecretRevoked(client, _)
            | Self::SampleSecret(client)
            | Self::AssertionRefused(client, _)
            | Self::CertificateRefused(client, _) => Some(client),
            Self::TooManyFailures { refusal, .. } => refusal.claimed_client(),
            Self::Malformed
            | Self::UnknownClient
            | Self::CredentialMissing
            | Self::TooManyAssertions
            | Self::Busy
            | Self::Store(_) => None,
        }
    }

    /// The same refusal of a source that is over its limit.
    pub(crate) fn too_often(self, wait: Lifetime) -> Self {
        Self::TooManyFailures { wait, refusal: Box::new(self) }
    }
}

#[cfg(test)]
mod tests {
    use tenancy::TenantId;

    use super::*;
    use crate::ClientId;

    fn client() -> Arc<Client> {
        let (tenant, id) = (TenantId::parse("acme").unwrap(), ClientId::parse("billing").unwrap());
        Arc::new(Client::new(tenant, id))
    }

    #[test]
    fn all_refusals_look_alike_and_failures_of_ours_are_none() {
        use ClientAuthenticationError as E;
        for refusal in [
            E::Malformed,
            E::UnknownClient,
            E::ClientSuspended(client()),
            E::MethodNotAllowed(client()),
            E::CredentialMissing,
            E::SecretMismatch(client()),
            E::SecretExpired(client(), SecretId::new("1")),
            E::SecretRevoked(client(), SecretId::new("1")),
            E::SampleSecret(client()),
            E::AssertionRefused(client(), AssertionError::Expired),
            E::CertificateRefused(client(), CertificateError::Expired),
        ] {
            assert!(refusal.is_refusal());
            assert_eq!(refusal.error_code(), ErrorCode::InvalidClient);
            assert_eq!(refusal.description(), "Client authentication failed");
        }
        let over = E::SecretMismatch(client()).too_often(Lifetime::from_seconds(1));
        assert!(over.is_refusal() && over.description() != E::Malformed.description());
        assert_eq!(over.reason(), RefusalReason::WrongSecret);
        assert_eq!(over.claimed_client(), Some(&client()));
        for (failure, code) in [
            (E::Busy, ErrorCode::TemporarilyUnavailable),
            (E::TooManyAssertions, ErrorCode::TemporarilyUnavailable),
            (E::Store(StoreError::unavailable("x")), ErrorCode::TemporarilyUnavailable),
            (E::Store(StoreError::fault("x")), ErrorCode::ServerError),
        ] {
            assert!(!failure.is_refusal());
            assert_eq!(failure.error_code(), code);
        }
    }
}
