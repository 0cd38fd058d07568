//! Metrics of the scheduler.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use gateway::Sample;

/// Counts since the start of the program.
#[derive(Debug, Default)]
pub(crate) struct Rotated {
    pub(super) announced: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) due: AtomicUsize,
    pub(super) leads: AtomicBool,
}

impl Rotated {
    pub(crate) fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    pub(crate) fn samples(&self) -> [Sample; 4] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            Sample::counter(
                "latchkey_rotation_keys_announced_total",
                "Signing keys announced by automatic rotation.",
                &[],
                read(&self.announced),
            ),
            Sample::counter(
                "latchkey_rotation_failures_total",
                "Failed rotation steps of tenants' keys.",
                &[],
                read(&self.failures),
            ),
            Sample::gauge(
                "latchkey_rotation_tenants_due",
                "Tenants whose keys were due at the last check. With many tenants, this is not the full number.",
                &[],
                self.due.load(Ordering::Relaxed) as u64,
            ),
            Sample::gauge(
                "latchkey_rotation_leader",
                "Whether this replica rotates keys (1) or not (0).",
                &[],
                u64::from(self.leads()),
            ),
        ]
    }
}
