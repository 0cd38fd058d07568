//! Why a request was refused. The caller can act on each variant, and the message is for the caller.

use std::fmt;

use keys::SealError;
use secrets::OutOfMemory;
use tenancy::StoreError;

use crate::edit::LiveCredentials;
use crate::kinds::Permission;

/// A refused edit. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The caller lacks the permission, for this tenant or at all.
    #[error("{} is needed here", .0.as_str())]
    Forbidden(Permission),
    /// The caller has the permission, but lacks a privilege that the change needs.
    #[error("{0}")]
    InsufficientPrivilege(String),
    /// The row does not exist, or not for this caller.
    #[error("there is no {0} of this id")]
    NotFound(&'static str),
    /// The request cannot be used; all its errors at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// It conflicts with what exists; the text says with what.
    #[error("{0}")]
    Conflict(String),
    /// A client would gain a permission, and keep these credentials, without a decision about them.
    #[error(
        "the client has credentials, which could use the new permission; name those to keep in keep_credentials, and the others are revoked"
    )]
    LiveCredentials(Box<LiveCredentials>),
    /// It is beyond a limit of the tenant; the text names the limit.
    #[error("{0}; delete what is not needed, or ask the operator for more")]
    LimitReached(String),
    /// It has changed since the caller read it.
    #[error("it has changed since the ETag in If-Match was given")]
    Stale,
    /// The idempotency key was used for another request.
    #[error("this Idempotency-Key was used for a different request")]
    IdempotencyKeyReused,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value cannot be sealed or unsealed.
    #[error("a value cannot be sealed or opened")]
    Seal(#[from] SealError),
    /// No memory for another slow hash now.
    #[error(transparent)]
    Hash(#[from] OutOfMemory),
    /// Too many slow hashes wait already, or the program is stopping.
    #[error("too busy to hash a secret now")]
    Busy,
    /// A stored hash or answer cannot be read.
    #[error("a stored value cannot be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Other writers changed the same tenant in each attempt.
    #[error("the tenant was changed at the same time, again and again")]
    Contended,
}

/// One error of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The place, as a JSON pointer into the document (RFC 6901).
    pub pointer: String,
    pub detail: String,
    /// What to do about it, if the detail does not say.
    pub hint: Option<String>,
    /// Whether the value itself is wrong, whatever the rest of the document contains.
    pub is_of_value: bool,
}

impl FieldError {
    /// An error at this place.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), hint: None, is_of_value: false }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The error and what to do about it, in one text.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.detail),
            None => self.detail.clone(),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message())
    }
}
