//! Makes a store fail, or delays its answers.

use std::sync::Arc;

use parking_lot::Mutex;
use tenancy::{StoreError, Stored};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Unavailable,
    /// The store returns invalid data.
    Fault,
}

/// While this value exists, no answer is returned.
#[must_use]
pub struct Held {
    _gate: OwnedRwLockWriteGuard<()>,
}

#[derive(Default)]
pub(crate) struct FaultInjection {
    failure: Mutex<Option<Failure>>,
    gate: Arc<RwLock<()>>,
}

impl FaultInjection {
    pub(crate) fn fail_with(&self, failure: Option<Failure>) {
        *self.failure.lock() = failure;
    }

    pub(crate) fn check(&self) -> Stored<()> {
        match *self.failure.lock() {
            Some(Failure::Unavailable) => Err(StoreError::unavailable("made to be unavailable")),
            Some(Failure::Fault) => Err(StoreError::fault("made to fail")),
            None => Ok(()),
        }
    }

    pub(crate) async fn hold(&self) -> Held {
        Held { _gate: Arc::clone(&self.gate).write_owned().await }
    }

    /// Every answer passes through here. Its content was decided before.
    pub(crate) async fn pass<T>(&self, answer: T) -> T {
        let _pass = self.gate.read().await;
        answer
    }
}
