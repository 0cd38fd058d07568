//! Metrics of the audit stream.

use std::sync::atomic::{AtomicU64, Ordering};

use gateway::Sample;
use values::Timestamp;

/// Counts since the start of the program.
#[derive(Debug, Default)]
pub(crate) struct ExportedAudit {
    lines: AtomicU64,
    failures: AtomicU64,
    /// Since when records are waiting; 0 if none is.
    behind_since: AtomicU64,
}

impl ExportedAudit {
    pub(super) fn wrote(&self, lines: usize) {
        self.lines.fetch_add(lines as u64, Ordering::Relaxed);
    }

    pub(super) fn has_failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Some records are not written. Only the task of this replica calls this method.
    pub(super) fn is_behind(&self, now: Timestamp) {
        if self.behind_since.load(Ordering::Relaxed) == 0 {
            self.behind_since.store(now.seconds(), Ordering::Relaxed);
        }
    }

    /// All records are written, or another replica writes them.
    pub(super) fn is_complete(&self) {
        self.behind_since.store(0, Ordering::Relaxed);
    }

    pub(crate) fn samples(&self, now: Timestamp) -> [Sample; 3] {
        let since = self.behind_since.load(Ordering::Relaxed);
        let behind = if since == 0 { 0 } else { now.seconds().saturating_sub(since) };
        [
            Sample::counter(
                "latchkey_audit_lines_written_total",
                "Lines written to the audit stream, including repeated lines.",
                &[],
                self.lines.load(Ordering::Relaxed),
            ),
            Sample::counter(
                "latchkey_audit_write_failures_total",
                "Failed writes to the audit stream. Latchkey retries every second.",
                &[],
                self.failures.load(Ordering::Relaxed),
            ),
            Sample::gauge(
                "latchkey_audit_behind_seconds",
                "Time that audit records have waited to be written; on the replica that rotates keys.",
                &[],
                behind,
            ),
        ]
    }
}
