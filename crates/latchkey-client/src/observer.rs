//! The events of a source for its service's metrics.

use std::sync::Arc;
use std::time::Duration;

use crate::error::TokenError;

/// Receives the events of a source ([`crate::Builder::observer`]). No event contains a secret. The methods
/// run while callers wait, so they must return soon.
pub trait Observer: Send + Sync {
    /// An attempt to fetch a token ended.
    fn fetched(&self, fetched: &Fetched<'_>) {
        let _ = fetched;
    }

    /// A caller got a token, or an error.
    fn served(&self, served: Served) {
        let _ = served;
    }

    /// A cached token was dropped, because a service refused it.
    fn dropped(&self) {}
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn fetched(&self, fetched: &Fetched<'_>) {
        (**self).fetched(fetched);
    }

    fn served(&self, served: Served) {
        (**self).served(served);
    }

    fn dropped(&self) {
        (**self).dropped();
    }
}

/// One attempt to fetch a token.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fetched<'a> {
    /// The client's name at the server.
    pub client_id: &'a str,
    /// The requested scopes, separated by blanks.
    pub scope: &'a str,
    /// The number of the attempt within its fetch, from 1. An attempt that is repeated at once has the number
    /// of the next one.
    pub attempt: u32,
    /// How long it took.
    pub took: Duration,
    /// The result.
    pub outcome: Outcome<'a>,
}

/// The result of an attempt to fetch a token.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// A token.
    #[non_exhaustive]
    Granted {
        /// How long the token is valid.
        lifetime: Duration,
    },
    /// A refusal after which the request is repeated at once, with another credential, time or nonce.
    Repeated,
    /// The server cannot answer at present.
    Unavailable(&'a TokenError),
    /// An answer that a repetition would not change, or a credential that cannot be used.
    Refused(&'a TokenError),
}

impl Outcome<'_> {
    /// A name for labels of metrics: `granted`, `repeated`, `unavailable`, `refused`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Granted { .. } => "granted",
            Self::Repeated => "repeated",
            Self::Unavailable(_) => "unavailable",
            Self::Refused(_) => "refused",
        }
    }
}

/// How a caller was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Served {
    /// A caller got a fresh token of the cache.
    Cached,
    /// A caller got the cached token, whose renewal is due.
    Renewing,
    /// After it waited for a fetch.
    Waited,
    /// A caller got an error.
    Failed,
}

impl Served {
    /// A name for labels of metrics: `cache`, `renewing`, `waited`, `failed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cached => "cache",
            Self::Renewing => "renewing",
            Self::Waited => "waited",
            Self::Failed => "failed",
        }
    }
}
