//! Observers of a verification: each check is reported with its result. There is one verification; a request observes nothing of it, an inspection all.

use crate::{Check, TokenError};

/// Gets each check, in the order in which they are made.
pub(crate) trait Observer {
    /// Passes the result on.
    fn check<T>(&mut self, check: Check, result: Result<T, TokenError>) -> Result<T, TokenError>;
}

/// Of a request: costs nothing.
pub(crate) struct Unobserved;

/// Notes each check with its error, if it failed.
#[derive(Default)]
pub(crate) struct Recorder(pub(crate) Vec<(Check, Option<TokenError>)>);

impl Observer for Unobserved {
    #[inline(always)]
    fn check<T>(&mut self, _: Check, result: Result<T, TokenError>) -> Result<T, TokenError> {
        result
    }
}

impl Observer for Recorder {
    fn check<T>(&mut self, check: Check, result: Result<T, TokenError>) -> Result<T, TokenError> {
        self.0.push((check, result.as_ref().err().copied()));
        result
    }
}
