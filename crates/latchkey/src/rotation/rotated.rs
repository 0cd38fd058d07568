//! Metrics of the scheduler.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gateway::Sample;

use crate::health::{counter, gauge};

/// Counts since the start of the program.
#[derive(Debug, Default)]
pub(crate) struct Rotated {
    announced: AtomicU64,
    failures: AtomicU64,
    due: AtomicU64,
    leads: AtomicBool,
}

impl Rotated {
    pub(super) fn count_announced(&self) {
        self.announced.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_due(&self, tenants: usize) {
        self.due.store(u64::try_from(tenants).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn set_leads(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
    }

    pub(crate) fn samples(&self) -> [Sample; 4] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            counter(
                "latchkey_rotation_keys_announced_total",
                "Signing keys that rotation has announced by itself.",
                &[],
                read(&self.announced),
            ),
            counter(
                "latchkey_rotation_failures_total",
                "Steps of a tenant's keys that could not be taken.",
                &[],
                read(&self.failures),
            ),
            gauge(
                "latchkey_rotation_tenants_due",
                "Tenants whose keys were due when they were last looked at; not all of them where they are many.",
                &[],
                read(&self.due),
            ),
            gauge(
                "latchkey_rotation_leader",
                "Whether this replica is the one that rotates keys (1) or not (0).",
                &[],
                u64::from(self.leads.load(Ordering::Relaxed)),
            ),
        ]
    }
}
