//! The cause of "the sealing service is unavailable": no answer, a refusal, or an unreadable answer.

use std::error::Error;

use keys::SealError;

use crate::words::root;

/// A service, identified in errors by the name of its key.
pub(crate) struct Service {
    pub(crate) name: String,
}

impl Service {
    /// There was no connection, no answer in time, or an incomplete answer.
    pub(crate) fn silent(&self, error: &(dyn Error + 'static)) -> SealError {
        self.unavailable(&format!("does not respond: {}", root(error)))
    }

    /// The service refused, or cannot answer now.
    pub(crate) fn refuses(&self, status: &str, said: &str) -> SealError {
        self.unavailable(&format!("refuses with {status}: {said}"))
    }

    /// The service gave an unexpected answer.
    pub(crate) fn not_understood(&self, what: &str) -> SealError {
        self.unavailable(&format!("sends a response that Latchkey cannot understand: {what}"))
    }

    /// The service has no such key, or a different key with this name.
    pub(crate) fn key_gone(&self) -> SealError {
        SealError::KeyGone { name: self.name.clone() }
    }

    fn unavailable(&self, why: &str) -> SealError {
        let cause: Box<dyn Error + Send + Sync> = format!("{} {why}", self.name).into();
        SealError::Unavailable(cause.into())
    }
}
