//! Error chains on one line, for the log.

use std::error::Error;

/// The error and its causes, separated by colons.
#[must_use]
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
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

    #[test]
    fn all_causes_are_named_in_their_order() {
        let expected = format!("outer: inner: {}", std::fmt::Error);
        assert_eq!(causes(&Outer(Inner(std::fmt::Error))), expected);
    }
}
