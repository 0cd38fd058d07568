//! Why a request was refused. Each variant means another action for the caller, who gets the message.

use std::fmt;

use keys::SealError;
use secrets::OutOfMemory;
use tenancy::StoreError;

use crate::edit::LiveCredentials;
use crate::kinds::Permission;

/// A refused edit. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("{} is required here", .0.as_str())]
    Forbidden(Permission),
    /// The caller has the permission, but the change needs more.
    #[error("{0}")]
    InsufficientPrivilege(String),
    /// The row does not exist, or the caller may not see it.
    #[error("no {0} has this id")]
    NotFound(&'static str),
    /// The request is invalid. Contains all errors.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// The request conflicts with existing rows, which the text names.
    #[error("{0}")]
    Conflict(String),
    /// The client would gain a permission, and the request does not say which of its credentials it keeps.
    #[error(
        "the client has credentials that would gain the new permission; list the credentials to keep in \
            keep_credentials, and Latchkey revokes the others"
    )]
    LiveCredentials(Box<LiveCredentials>),
    /// The request exceeds a limit of the tenant, which the text names.
    #[error("{0}; delete what you don't need, or ask the operator for a higher limit")]
    LimitReached(String),
    /// The row has changed since the caller read it.
    #[error("it has changed since you read the ETag in If-Match")]
    Stale,
    /// The idempotency key was used for another request.
    #[error("this Idempotency-Key was already used for a different request")]
    IdempotencyKeyReused,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value cannot be sealed or unsealed.
    #[error("Latchkey cannot seal or open a value")]
    Seal(#[from] SealError),
    /// There is not enough memory for another slow hash.
    #[error(transparent)]
    Hash(#[from] OutOfMemory),
    /// Too many slow hashes are waiting, or the program is stopping.
    #[error("the server is too busy to hash a secret now")]
    Busy,
    /// A stored hash or answer cannot be read.
    #[error("Latchkey cannot read a stored value")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// In every attempt another writer changed the tenant first.
    #[error("other changes to the tenant kept interfering with this change")]
    Contended,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub pointer: String,
    pub detail: String,
    /// What to do, if `detail` does not say.
    pub hint: Option<String>,
    /// Whether the value is wrong regardless of the rest of the document.
    pub is_of_value: bool,
}

impl FieldError {
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), hint: None, is_of_value: false }
    }

    /// Adds what the reader can do.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The error and the hint in one text.
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
