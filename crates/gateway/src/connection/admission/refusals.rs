//! Counts requests that were refused before a worker took them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Sample;

/// The count of all workers.
#[derive(Debug, Default)]
pub(crate) struct Refusals(AtomicU64);

impl Refusals {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn sample(&self) -> Sample {
        let help = "Token, introspection and revocation requests refused with 503, because a worker \
            received more than it could handle.";
        Sample::counter("latchkey_requests_refused_total", help, &[], self.0.load(Ordering::Relaxed))
    }
}
