//! Why a client authentication failed (RFC 6749 §5.2 `invalid_client`). Callers cannot distinguish refusals.

use std::sync::Arc;

use protocol::{CredentialReason, ErrorCode, RefusalReason};
use tenancy::StoreError;
use values::Lifetime;

use crate::{Client, Proof};

#[derive(Debug, thiserror::Error)]
pub enum ClientAuthenticationError {
    /// The caller has not proved that it is the client.
    #[error("client authentication was refused{}: {}", if wait.is_some() { " too often" } else { "" }, reason.code)]
    Refused {
        /// The reason for the log.
        reason: &'static CredentialReason,
        /// The registered client that the request names. The sender may be an attacker.
        client: Option<Arc<Client>>,
        /// The presented secret or API key, if it is expired or revoked.
        ended: Option<Proof>,
        /// How much longer the source is over its limit, if it was over the limit before this attempt.
        wait: Option<Lifetime>,
    },
    /// The tenant has too many unexpired assertions, or the client has too many while more than half of the
    /// tenant's share is used.
    #[error("the tenant or the client has too many client assertions that have not expired")]
    TooManyAssertions(Arc<Client>),
    /// Too many secrets are waiting to be checked.
    #[error("too many client secrets are waiting to be checked")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClientAuthenticationError {
    /// A refusal for this client, if the client is registered.
    #[must_use]
    pub const fn refused(reason: &'static CredentialReason, client: Option<Arc<Client>>) -> Self {
        Self::Refused { reason, client, ended: None, wait: None }
    }

    /// Whether the error is the caller's fault and not this server's.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self.error_code(), ErrorCode::InvalidClient)
    }

    /// The error code for the response.
    #[must_use]
    pub const fn error_code(&self) -> ErrorCode {
        match self {
            // RFC 7521 §4.2.1, RFC 7523 §3.2 and RFC 8705 §2 use the same code for a bad assertion or
            // certificate.
            Self::Refused { .. } => ErrorCode::InvalidClient,
            Self::Busy | Self::TooManyAssertions(_) | Self::Store(StoreError::Unavailable(_)) => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::Store(StoreError::Fault(_)) => ErrorCode::ServerError,
        }
    }

    /// The description for the response. All refusals have the same text; refusals over the limit have
    /// another.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match (self, self.error_code()) {
            (Self::Refused { wait: Some(_), .. }, _) => {
                "Client authentication failed too often; try again later"
            }
            (_, ErrorCode::InvalidClient) => "Client authentication failed",
            (_, ErrorCode::TemporarilyUnavailable) => "The server is temporarily unavailable",
            _ => "The server failed",
        }
    }

    #[must_use]
    pub const fn reason(&self) -> RefusalReason {
        match self {
            Self::Refused { reason, .. } => RefusalReason::Credential(reason),
            Self::TooManyAssertions(_) => RefusalReason::LimitReached,
            Self::Busy | Self::Store(StoreError::Unavailable(_)) => RefusalReason::Unavailable,
            Self::Store(StoreError::Fault(_)) => RefusalReason::ServerFault,
        }
    }

    /// The registered client that the request names, if it exists.
    #[must_use]
    pub const fn claimed_client(&self) -> Option<&Arc<Client>> {
        match self {
            Self::Refused { client, .. } => client.as_ref(),
            Self::TooManyAssertions(client) => Some(client),
            Self::Busy | Self::Store(_) => None,
        }
    }

    /// The client, if it authenticated with its own credential but the credential is expired or revoked.
    #[must_use]
    pub fn proven_client(&self) -> Option<&Arc<Client>> {
        match self {
            Self::Refused { client, ended: Some(_), .. } => client.as_ref(),
            _ => None,
        }
    }

    /// Adds the client that the request names to a refusal.
    pub(crate) fn naming(mut self, named: Option<Arc<Client>>) -> Self {
        if let Self::Refused { client: client @ None, .. } = &mut self {
            *client = named;
        }
        self
    }

    /// Marks a refusal as over the limit.
    pub(crate) fn too_often(mut self, over: Lifetime) -> Self {
        if let Self::Refused { wait, .. } = &mut self {
            *wait = Some(over);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use tenancy::TenantId;

    use super::*;
    use crate::methods::{self, secret};
    use crate::{AssertionCheck, CertificateCheck, ClientId};

    // [oauth RFC 6749 §5.2 b], [parties #1]
    #[test]
    fn refusals_look_alike_and_server_failures_differ() {
        use ClientAuthenticationError as E;
        let (tenant, id) = (TenantId::parse("acme").unwrap(), ClientId::parse("billing").unwrap());
        let client = Arc::new(Client::new(tenant, id));
        let refused = |reason| E::refused(reason, Some(Arc::clone(&client)));
        let tables = [methods::REASONS, secret::REASONS, AssertionCheck::REASONS, CertificateCheck::REASONS];
        for reason in tables.into_iter().flatten() {
            let refusal = refused(reason);
            assert!(refusal.is_refusal());
            assert_eq!(refusal.error_code(), ErrorCode::InvalidClient);
            assert_eq!(refusal.description(), "Client authentication failed");
        }
        let over = refused(secret::WRONG).too_often(Lifetime::from_seconds(1));
        assert!(over.is_refusal() && over.description() != refused(secret::WRONG).description());
        assert_eq!(over.reason(), RefusalReason::Credential(secret::WRONG));
        assert_eq!(over.claimed_client(), Some(&client));
        for (failure, code) in [
            (E::Busy, ErrorCode::TemporarilyUnavailable),
            (E::TooManyAssertions(Arc::clone(&client)), ErrorCode::TemporarilyUnavailable),
            (E::Store(StoreError::unavailable("x")), ErrorCode::TemporarilyUnavailable),
            (E::Store(StoreError::fault("x")), ErrorCode::ServerError),
        ] {
            assert!(!failure.is_refusal());
            assert_eq!(failure.error_code(), code);
        }
    }
}
