//! Counters of a cache: answers from memory and loads from the store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tenancy::StoreError;

use crate::stripes::Stripes;

/// The counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answers from memory.
    pub hits: u64,
    /// Loads begun.
    pub loads: u64,
    /// Loads that failed.
    pub failures: u64,
    /// Answers with a stale value because the store was unavailable.
    pub stale_answers: u64,
}

pub(crate) struct Counters {
    /// The name of the values in the log.
    of: &'static str,
    hits: Stripes,
    loads: AtomicU64,
    failures: AtomicU64,
    stale_answers: AtomicU64,
    unavailable: AtomicBool,
}

impl Counters {
    pub(crate) fn new(of: &'static str) -> Self {
        Self {
            of,
            hits: Stripes::default(),
            loads: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            stale_answers: AtomicU64::new(0),
            unavailable: AtomicBool::new(false),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            hits: self.hits.sum(),
            loads: self.loads.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            stale_answers: self.stale_answers.load(Ordering::Relaxed),
        }
    }

    /// Whether the last load found the store unavailable.
    pub(crate) fn is_degraded(&self) -> bool {
        self.unavailable.load(Ordering::Relaxed)
    }

    pub(crate) fn hit(&self) {
        self.hits.add_one();
    }

    pub(crate) fn load_began(&self) {
        self.loads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered_stale(&self) {
        self.stale_answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Logs the start and the end of an outage, not each load in it.
    pub(crate) fn load_ended(&self, failure: Option<&StoreError>) {
        if failure.is_some() {
            self.failures.fetch_add(1, Ordering::Relaxed);
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
