//! Why a secret was not read or written. Each message is one line with the store, the path, the problem and
//! the fix. Messages never contain a secret, a token or a body.

use values::cropped;

/// The text is the complete message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretStoreError {
    /// The store did not answer: no connection, a timeout, or an incomplete answer. Asking for another secret
    /// would only take as long. A later attempt may succeed.
    #[error("{0}")]
    Silent(String),
    /// The store cannot answer now: it is sealed, over its limit, has an internal error, or redirects. A
    /// later attempt may succeed.
    #[error("{0}")]
    Unavailable(String),
    /// The store refuses the credentials or lacks a permission for them, or there are no credentials.
    #[error("{0}")]
    Denied(String),
    /// The secret does not exist, or its current version is deleted.
    #[error("{0}")]
    Missing(String),
    /// The stored value is unusable: not understood, larger than 64 KiB, binary, not a JSON object, or
    /// without the member.
    #[error("{0}")]
    Unusable(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The store has not changed anything.
    #[error("{0}")]
    Refused(#[from] SecretStoreError),
    /// The request was sent, but the answer is missing or incomplete. The value may have been written.
    #[error("{0}; it is unclear whether the value was stored: read it")]
    Unknown(SecretStoreError),
}

#[cfg(any(feature = "aws-secrets", feature = "vault"))]
impl WriteError {
    pub(super) fn new(error: SecretStoreError, may_be_written: bool) -> Self {
        if may_be_written { Self::Unknown(error) } else { Self::Refused(error) }
    }
}

/// The stored value has no secret at the expected place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {flaw}")]
pub struct UnusableSecret {
    pub(super) place: String,
    pub(super) flaw: Flaw,
}

/// Messages name only the requested member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it is larger than 64 KiB; store each client secret separately")]
    TooLarge,
    #[error("it is not a JSON object; store an object with the member {}", quoted(.0))]
    NoObject(String),
    #[error("it has no member {}; add the member, or name another key", quoted(.0))]
    NoMember(String),
    #[error("its member {} is not a string; store it as a string", quoted(.0))]
    NoString(String),
}

impl From<UnusableSecret> for SecretStoreError {
    fn from(unusable: UnusableSecret) -> Self {
        Self::Unusable(unusable.to_string())
    }
}

/// A key or a path of the configuration, on one line.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", cropped(text))
}
