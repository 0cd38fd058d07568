//! Quotes messages of other services in our messages.

use std::error::Error;

/// The maximum length of a quote in characters.
const LONGEST: usize = 200;

/// The innermost cause, which has the details.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    on_one_line(&error.to_string())
}

/// The text of a service, cut and without line breaks or control characters, so that it is safe in a log
/// line.
pub(crate) fn on_one_line(words: &str) -> String {
    let words = words.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_messages_become_one_short_line() {
        assert_eq!(on_one_line("1 error:\n\t* permission\u{1b} denied\n\n"), "1 error: * permission denied");
        assert_eq!(on_one_line(&"é".repeat(500)).chars().count(), LONGEST);
    }

    #[test]
    fn an_error_is_reported_by_its_innermost_cause() {
        let inner = std::io::Error::other(std::io::Error::other("connection refused"));
        assert_eq!(root(&inner), "connection refused");
    }
}
