//! Error chains on one line, for the log.

use std::error::Error;

#[must_use]
pub fn causes(error: &dyn Error) -> String {
    distinct_causes(error).join(": ")
}

/// The text of the error and of each cause. A cause is left out if the previous text ends with it,
/// because many libraries repeat their cause.
#[must_use]
pub fn distinct_causes(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !texts.last().is_some_and(|before| before.ends_with(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Inner(#[source] std::fmt::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("refused: {0}")]
    struct Repeating(#[source] Inner);

    #[test]
    fn repeated_cause_is_shown_once() {
        let expected = format!("refused: inner: {}", std::fmt::Error);
        assert_eq!(causes(&Repeating(Inner(std::fmt::Error))), expected);
    }

    #[test]
    fn all_causes_are_shown_in_order() {
        let expected = format!("outer: inner: {}", std::fmt::Error);
        assert_eq!(causes(&Outer(Inner(std::fmt::Error))), expected);
    }
}
