//! Why a secret was not read or not written. Each message is one line that names the store, the path, what
//! happened and how to fix it. No message quotes a secret, a token or a body.

use values::cropped;

/// A secret was not read or not written. The text is the whole message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretStoreError {
    /// The store sent no answer: no connection, a timeout, or a broken answer. A request for another secret
    /// would only wait as long. A later attempt may succeed.
    #[error("{0}")]
    Silent(String),
    /// The store cannot serve now: sealed, too many requests, an internal error, a redirect. A later attempt
    /// may succeed.
    #[error("{0}")]
    Unavailable(String),
    /// The store refuses the credentials of the program or does not let them reach the secret, or there are
    /// none.
    #[error("{0}")]
    Denied(String),
    /// The store has no such secret, or its current version is deleted.
    #[error("{0}")]
    Missing(String),
    /// The stored value is unusable: not understood, larger than 64 KiB, binary, no JSON object, or without
    /// the member.
    #[error("{0}")]
    Unusable(String),
}

/// A secret was not written, or perhaps it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The store has not changed anything.
    #[error("{0}")]
    Refused(#[from] SecretStoreError),
    /// After the request was sent, no answer came, or a broken one: the value may or may not be written.
    #[error("{0}; the value may be stored or not: read it")]
    Unknown(SecretStoreError),
}

#[cfg(any(feature = "aws-secrets", feature = "vault"))]
impl WriteError {
    /// The error of a write that was sent.
    pub(super) fn new(error: SecretStoreError, may_be_written: bool) -> Self {
        if may_be_written { Self::Unknown(error) } else { Self::Refused(error) }
    }
}

/// The stored value contains no secret at the expected place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {flaw}")]
pub struct UnusableSecret {
    pub(super) place: String,
    pub(super) flaw: Flaw,
}

/// The error of a stored text. Only the requested member is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it is larger than 64 KiB; store each client secret by itself")]
    TooLarge,
    #[error("it is no JSON object; store one with the member {}", quoted(.0))]
    NoObject(String),
    #[error("it has no member {}; add it, or name another key", quoted(.0))]
    NoMember(String),
    #[error("its member {} is no string; store it as a string", quoted(.0))]
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
