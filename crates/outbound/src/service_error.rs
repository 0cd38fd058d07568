//! What stands behind "the sealing service is unavailable": whether it was silent, refused, or said something that nobody can read.

use std::error::Error;
use std::sync::Arc;

use keys::SealError;

/// Why a service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// No connection, no answer in time, or one that broke off.
    #[error("{service} does not answer: {cause}")]
    Silent { service: String, cause: String },
    /// It answered that it will not, or cannot now.
    #[error("{service} refuses with {status}: {said}")]
    Refused { service: String, status: String, said: String },
    /// It answered something else than it should.
    #[error("{service} answers what cannot be understood: {what}")]
    NotUnderstood { service: String, what: &'static str },
}

/// No more of an answer goes into an error.
const LONGEST: usize = 200;

impl From<ServiceError> for SealError {
    fn from(service_error: ServiceError) -> Self {
        Self::Unavailable(Arc::new(service_error))
    }
}

/// The innermost cause, which is the one that says something.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    on_one_line(&error.to_string())
}

/// A service's words, short and without line ends or control characters, so that they are nothing but a part of a log line.
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
