//! The cause of "the sealing service is unavailable": no answer, a refusal, or an unreadable answer.

use std::error::Error;
use std::sync::Arc;

use keys::SealError;

/// Why a service did not fulfil a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// No connection, no answer in time, or a broken one.
    #[error("{service} does not answer: {cause}")]
    Silent { service: String, cause: String },
    /// The service refused or cannot answer now.
    #[error("{service} refuses with {status}: {said}")]
    Refused { service: String, status: String, said: String },
    /// The service gave an unexpected answer.
    #[error("{service} answers what cannot be understood: {what}")]
    NotUnderstood { service: String, what: &'static str },
}

/// The longest part of an answer in an error.
const LONGEST: usize = 200;

impl From<ServiceError> for SealError {
    fn from(service_error: ServiceError) -> Self {
        Self::Unavailable(Arc::new(service_error))
    }
}

/// The innermost cause, which has the details.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    on_one_line(&error.to_string())
}

/// The text of a service, cropped and without line ends or control characters, so that it is safe in a log line.
pub(crate) fn on_one_line(words: &str) -> String {
    let words = words.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_service_are_one_short_line() {
        assert_eq!(on_one_line("1 error:\n\t* permission\u{1b} denied\n\n"), "1 error: * permission denied");
        assert_eq!(on_one_line(&"é".repeat(500)).chars().count(), LONGEST);
    }

    #[test]
    fn an_error_is_reported_by_its_innermost_cause() {
        let inner = std::io::Error::other(std::io::Error::other("connection refused"));
        assert_eq!(root(&inner), "connection refused");
    }
}
