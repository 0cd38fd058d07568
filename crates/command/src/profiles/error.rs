//! Why a command of a profile failed, and its exit code.

use latchkey_client::TokenError;

/// An error with its own exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProfileError {
    /// The server did not answer.
    #[error("cannot reach the server")]
    Unreachable(#[from] reqwest::Error),
    /// The client got no token.
    #[error("{from}")]
    NoToken {
        from: String,
        /// The answer, or why there is none.
        source: TokenError,
    },
}

impl ProfileError {
    /// 5 not allowed, 6 not available, 1 any other error; docs/command-line.md has the table.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable(_) => 6,
            Self::NoToken { source, .. } => match source.code() {
                Some("invalid_client" | "unauthorized_client" | "access_denied") => 5,
                _ if source.is_transient() => 6,
                _ => 1,
            },
        }
    }
}
