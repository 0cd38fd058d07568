//! An error with its causes on one line, for the log.

use std::error::Error;

/// `what happened: because of: because of`.
pub(crate) fn causes(error: &dyn Error) -> String {
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
    use tenancy::StoreError;

    use super::*;

    #[test]
    fn all_causes_are_named_in_their_order() {
        let error = StoreError::unavailable("no connection");
        assert_eq!(causes(&error), "the store is unavailable: no connection");
    }
}
