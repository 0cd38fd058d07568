//! Counters of a cache: answers from memory and loads from the store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tenancy::StoreError;

use crate::stripes::Stripes;

/// The counters since the start.
#[derive(Default)]
pub struct Counters {
    /// Answers from memory.
    pub hits: Stripes,
    /// Loads begun.
    pub loads: EventCount,
    /// Loads that failed.
    pub failures: EventCount,
    /// Answers with a stale value because the store was unavailable.
    pub stale_answers: EventCount,
    unavailable: AtomicBool,
}

/// A number that only goes up.
#[derive(Debug, Default)]
pub struct EventCount(AtomicU64);

impl EventCount {
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
    /// Whether the last load found the store unavailable.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.unavailable.load(Ordering::Relaxed)
    }

    /// Notes whether the store answered. The health check logs an outage, once for all caches.
    pub(crate) fn load_ended(&self, failure: Option<&StoreError>) {
        if failure.is_some() {
            self.failures.count();
        }
        let is_unavailable = matches!(failure, Some(StoreError::Unavailable(_)));
        self.unavailable.store(is_unavailable, Ordering::Relaxed);
    }
}
