//! How many requests were refused before a worker took them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Sample;

/// The number of refused requests of all workers.
#[derive(Debug, Default)]
pub(crate) struct Refusals(AtomicU64);

impl Refusals {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// What an operator should know.
    pub(crate) fn sample(&self) -> Sample {
        let help = "Token, introspection and revocation requests refused with 503, because more came than a worker could answer.";
        Sample::counter("latchkey_requests_refused_total", help, &[], self.0.load(Ordering::Relaxed))
    }
}
