//! Counters of a cache: answers from memory and loads from the store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tenancy::StoreError;

use crate::stripes::Stripes;

/// The counters since the start.
#[derive(Default)]
pub struct Counters {
    /// The name of the values in the log.
    of: &'static str,
    /// Answers from memory.
    pub hits: Stripes,
    /// Loads begun.
    pub loads: Counter,
    /// Loads that failed.
    pub failures: Counter,
    /// Answers with a stale value because the store was unavailable.
    pub stale_answers: Counter,
    unavailable: AtomicBool,
}

/// A number that only goes up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn new(of: &'static str) -> Self {
        Self { of, ..Self::default() }
    }

    /// Whether the last load found the store unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.unavailable.load(Ordering::Relaxed)
    }

    /// Logs the start and the end of an outage, not each load in it.
    pub(crate) fn load_ended(&self, failure: Option<&StoreError>) {
        if failure.is_some() {
            self.failures.count();
        }
        let unavailable = match failure {
            Some(StoreError::Unavailable(cause)) => Some(cause),
            Some(StoreError::Fault(_)) | None => None,
        };
        let before = self.unavailable.swap(unavailable.is_some(), Ordering::Relaxed);
        match unavailable {
            Some(cause) if !before => {
                tracing::warn!(cache = self.of, %cause, "the store is unavailable; what is cached goes on serving");
            }
            None if before => tracing::info!(cache = self.of, "the store answers again"),
            Some(_) | None => {}
        }
    }
}
