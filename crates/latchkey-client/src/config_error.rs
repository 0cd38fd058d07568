//! The error in the configuration of a source.

/// The error in the configuration of a source. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value is absent.
    #[error("{name} is missing: {hint}")]
    #[non_exhaustive]
    Missing {
        /// The method of the builder, or the variable.
        name: String,
        /// How to give it.
        hint: &'static str,
    },
    /// A value is wrong.
    #[error("{name} `{value}` {why}")]
    #[non_exhaustive]
    Wrong {
        /// The method of the builder, or the variable.
        name: String,
        /// The configured value; never a secret.
        value: String,
        /// The error in it.
        why: String,
    },
    /// Two values exclude each other.
    #[error("{0} and {1} exclude each other: leave one out")]
    Both(String, String),
    /// The key of DPoP proofs cannot be made.
    #[error("{0}")]
    Key(String),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Http(String),
}

impl ConfigError {
    pub(crate) fn missing(name: &str, hint: &'static str) -> Self {
        Self::Missing { name: name.to_owned(), hint }
    }

    pub(crate) fn wrong(name: &str, value: &str, why: impl Into<String>) -> Self {
        Self::Wrong { name: name.to_owned(), value: value.to_owned(), why: why.into() }
    }
}
