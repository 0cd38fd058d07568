//! Why a client authentication failed (RFC 6749 §5.2 `invalid_client`). Callers cannot distinguish refusals.

use std::sync::Arc;

use protocol::{CredentialReason, ErrorCode, RefusalReason};
use tenancy::StoreError;
use values::Lifetime;

use crate::{Client, Proof};

/// A failed client authentication.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthenticationError {
    /// The caller has not proven that it is the client.
    #[error("the client authentication is refused{}: {}", if wait.is_some() { " too often" } else { "" }, reason.code)]
    Refused {
        /// The row in the table of the method, for the log.
        reason: &'static CredentialReason,
        /// The registered client that the request names. Nothing proves that the client sent the request.
        client: Option<Arc<Client>>,
        /// The presented secret or API key, if it has ended.
        ended: Option<Proof>,
        /// If the source of the attempt was over its limit before: how much longer the limit applies.
        wait: Option<Lifetime>,
    },
    /// The tenant, or the client beyond half of the tenant's share, has as many unexpired assertions as the
    /// server remembers for it.
    #[error("too many client assertions of the tenant or the client have not expired yet")]
    TooManyAssertions(Arc<Client>),
    /// Too many secrets wait to be checked.
    #[error("too many client secrets wait to be checked")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClientAuthenticationError {
    /// Refuses what this registered client presents, if there is such a client.
    #[must_use]
    pub const fn refused(reason: &'static CredentialReason, client: Option<Arc<Client>>) -> Self {
        Self::Refused { reason, client, ended: None, wait: None }
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
            // RFC 7521 §4.2.1, RFC 7523 §3.2 and RFC 8705 §2: a bad assertion or
            // certificate has this code, too.
            Self::Refused { .. } => ErrorCode::InvalidClient,
            Self::Busy | Self::TooManyAssertions(_) | Self::Store(StoreError::Unavailable(_)) => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::Store(StoreError::Fault(_)) => ErrorCode::ServerError,
        }
    }

    /// The description for the caller. All refusals share one text, and those over the limit share another.
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

    /// The reason for the log.
    #[must_use]
    pub const fn reason(&self) -> RefusalReason {
        match self {
            Self::Refused { reason, .. } => RefusalReason::Credential(reason),
            Self::TooManyAssertions(_) => RefusalReason::LimitReached,
            Self::Busy | Self::Store(StoreError::Unavailable(_)) => RefusalReason::Unavailable,
            Self::Store(StoreError::Fault(_)) => RefusalReason::ServerFault,
        }
    }

    /// The registered client that the request named, where it was found.
    #[must_use]
    pub const fn claimed_client(&self) -> Option<&Arc<Client>> {
        match self {
            Self::Refused { client, .. } => client.as_ref(),
            Self::TooManyAssertions(client) => Some(client),
            Self::Busy | Self::Store(_) => None,
        }
    }

    /// The client that has proven itself by a credential of its own that has ended.
    #[must_use]
    pub fn proven_client(&self) -> Option<&Arc<Client>> {
        match self {
            Self::Refused { client, ended: Some(_), .. } => client.as_ref(),
            _ => None,
        }
    }

    /// Returns this refusal with the client that the request names.
    pub(crate) fn naming(mut self, named: Option<Arc<Client>>) -> Self {
        if let Self::Refused { client: client @ None, .. } = &mut self {
            *client = named;
        }
        self
    }

    /// Returns this refusal for a source that is over its limit.
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
    fn all_refusals_look_alike_and_failures_of_ours_are_none() {
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
