//! The cause of "the sealing service is unavailable": no answer, a refusal, or an unreadable answer.

use std::error::Error;

use keys::SealError;

/// A service by the name of its key. The errors name it.
pub(crate) struct Service {
    pub(crate) name: String,
}

/// The longest part of an answer in an error.
const LONGEST: usize = 200;

impl Service {
    /// No connection, no answer in time, or a broken one.
    pub(crate) fn silent(&self, error: &(dyn Error + 'static)) -> SealError {
        self.unavailable(&format!("does not answer: {}", root(error)))
    }

    /// The service refused or cannot answer now.
    pub(crate) fn refuses(&self, status: &str, said: &str) -> SealError {
        self.unavailable(&format!("refuses with {status}: {said}"))
    }

    /// The service gave an unexpected answer.
    pub(crate) fn not_understood(&self, what: &str) -> SealError {
        self.unavailable(&format!("answers what cannot be understood: {what}"))
    }

    /// The service has no such key, or another one.
    pub(crate) fn key_gone(&self) -> SealError {
        SealError::KeyGone { name: self.name.clone() }
    }

    fn unavailable(&self, why: &str) -> SealError {
        let cause: Box<dyn Error + Send + Sync> = format!("{} {why}", self.name).into();
        SealError::Unavailable(cause.into())
    }
}

/// The innermost cause, which has the details.
fn root(error: &(dyn Error + 'static)) -> String {
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
