//! The events of a verifier for its API's metrics.

use std::sync::Arc;
use std::time::Duration;

use crate::Reason;

/// Receives the events of a verifier ([`crate::Builder::observer`]). No event contains a secret. The methods
/// run while callers wait, so they must return soon.
pub trait Observer: Send + Sync {
    /// A fetch of what an issuer publishes ended.
    fn fetched(&self, fetched: &Fetched<'_>) {
        let _ = fetched;
    }

    /// A token was accepted.
    fn accepted(&self, accepted: &Accepted<'_>) {
        let _ = accepted;
    }

    /// A token, or a request without one, was refused. A missing scope is the API's own refusal, and causes
    /// no event.
    fn refused(&self, reason: &Reason) {
        let _ = reason;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn fetched(&self, fetched: &Fetched<'_>) {
        (**self).fetched(fetched);
    }

    fn accepted(&self, accepted: &Accepted<'_>) {
        (**self).accepted(accepted);
    }

    fn refused(&self, reason: &Reason) {
        (**self).refused(reason);
    }
}

/// One fetch.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Fetched<'a> {
    /// The issuer of the document.
    pub issuer: &'a str,
    /// The document.
    pub document: Document,
    /// How long it took.
    pub took: Duration,
    /// Whether the document, or the response that it is unchanged, was valid. Otherwise the present value
    /// stays in use.
    pub succeeded: bool,
}

/// A document that an issuer publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Document {
    /// RFC 8414.
    Metadata,
    /// RFC 7517.
    KeySet,
    /// The revocation feed.
    Revocations,
}

impl Document {
    /// A name for labels of metrics: `metadata`, `key_set`, `revocations`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::KeySet => "key_set",
            Self::Revocations => "revocations",
        }
    }
}

/// A token that was accepted.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Accepted<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The client that requested it.
    pub client_id: &'a str,
}

/// Tells nothing.
pub(crate) struct NoObserver;

impl Observer for NoObserver {}
