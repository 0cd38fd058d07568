//! Why there is no token.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use crate::credential::CredentialError;

/// Why there is no token. No error is permanent: a later call sends a new request. Many callers may get one
/// error, so it is cheap to clone.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token endpoint refused the request.
    #[error("the token endpoint refused the request: {code}{}", said(description.as_deref()))]
    #[non_exhaustive]
    Rejected {
        /// The code of RFC 6749 §5.2, or of an extension, such as `invalid_client`.
        code: String,
        /// The server's text, at most 256 characters of printable ASCII.
        description: Option<String>,
        /// When the next call sends a request. Until then calls get this error.
        retry_after: Option<Duration>,
    },
    /// The token endpoint cannot be reached, or cannot answer at present.
    #[error("the token endpoint is not available")]
    #[non_exhaustive]
    Unavailable {
        /// The last attempt's error.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
        /// When the next call sends a request, if the server said when.
        retry_after: Option<Duration>,
    },
    /// No answer came within the time that a caller waits (`timeout`). The request continues for other
    /// callers.
    #[error("no token within {} s", after.as_secs_f32())]
    #[non_exhaustive]
    TimedOut {
        /// How long the caller waited.
        after: Duration,
    },
    /// The answer is not that of a token endpoint, or grants something else than requested.
    #[error("the answer of {from} cannot be used: {why}")]
    #[non_exhaustive]
    Unusable {
        /// The URL of the request.
        from: String,
        /// The error in the answer.
        why: String,
        /// When the next call sends a request.
        retry_after: Option<Duration>,
    },
    /// The server has no such endpoint, or its URL is not known.
    #[error("there is no {name}: the server's metadata name none, or the source was built without it")]
    #[non_exhaustive]
    NoEndpoint {
        /// The endpoint, as metadata name it.
        name: &'static str,
    },
    /// The client's credential cannot be read.
    #[error("the client's credential cannot be used")]
    #[non_exhaustive]
    Credential {
        /// Why not.
        #[source]
        source: CredentialError,
        /// When the next call reads it again.
        retry_after: Option<Duration>,
    },
}

impl TokenError {
    /// Whether the same call may succeed without a change by a person.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::TimedOut { .. })
    }

    /// When the next call sends a request. Calls before it get this error without a request, unless a token
    /// is cached.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected { retry_after, .. }
            | Self::Unavailable { retry_after, .. }
            | Self::Unusable { retry_after, .. }
            | Self::Credential { retry_after, .. } => *retry_after,
            Self::TimedOut { .. } | Self::NoEndpoint { .. } => None,
        }
    }

    /// The error code of the token endpoint.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Rejected { code, .. } => Some(code),
            _ => None,
        }
    }

    pub(crate) fn with_retry_after(mut self, rest: Duration) -> Self {
        match &mut self {
            Self::Rejected { retry_after, .. }
            | Self::Unavailable { retry_after, .. }
            | Self::Unusable { retry_after, .. }
            | Self::Credential { retry_after, .. } => *retry_after = Some(rest),
            Self::TimedOut { .. } | Self::NoEndpoint { .. } => {}
        }
        self
    }

    pub(crate) fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { source: Arc::from(source.into()), retry_after: None }
    }
}

impl From<CredentialError> for TokenError {
    fn from(source: CredentialError) -> Self {
        Self::Credential { source, retry_after: None }
    }
}

fn said(description: Option<&str>) -> String {
    description.map(|text| format!(" ({text})")).unwrap_or_default()
}

/// A server's text for a message: printable ASCII, and not long.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(256).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_text_is_truncated_and_sanitized() {
        assert_eq!(printable("a\u{1b}[31m\nb \u{e9}"), "a?[31m?b ?");
        assert_eq!(printable(&"x".repeat(1000)).len(), 256);
    }

    #[test]
    fn rejection_reports_code_and_retry_after() {
        let (code, description) = ("invalid_client".to_owned(), Some("no".to_owned()));
        let rejected = TokenError::Rejected { code, description, retry_after: None };
        assert_eq!(rejected.to_string(), "the token endpoint refused the request: invalid_client (no)");
        assert_eq!(rejected.code(), Some("invalid_client"));
        let remembered = rejected.with_retry_after(Duration::from_secs(2));
        assert_eq!(remembered.retry_after(), Some(Duration::from_secs(2)));
        assert!(!remembered.is_transient());
        assert!(TokenError::unavailable("down").is_transient());
    }
}
