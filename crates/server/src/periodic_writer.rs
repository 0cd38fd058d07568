//! Writes data from memory to the store periodically, and at the end: a request itself writes nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tenancy::Stored;
use tokio::time::timeout;

use crate::periodic::{OutageLog, rounds};

/// The longest wait for the store at the end: a stopped program must end.
pub(crate) const AT_THE_END: Duration = Duration::from_secs(3);

/// A killed program loses the data since the last write.
#[async_trait]
pub(crate) trait PeriodicWriter: Send + Sync + 'static {
    /// The noun for the written data, in the log.
    const WHAT: &'static str;
    /// The time between two writes.
    const EVERY: Duration;

    /// Writes the data, with this pause after the amount that may be written in a second. Data that cannot be
    /// written stays in memory.
    async fn flush(&self, pause: Duration);

    fn log_outcome(log: &mut OutageLog, outcome: &Stored<()>) {
        let what = Self::WHAT;
        log.note(
            outcome,
            format_args!("{what} cannot be written and are kept in memory"),
            format_args!("{what} are written again"),
        );
    }

    /// Writes until the program ends.
    async fn run(self: Arc<Self>) {
        let mut rounds = rounds(Self::EVERY);
        loop {
            rounds.tick().await;
            self.flush(Duration::from_secs(1)).await;
        }
    }

    /// Writes the rest when no more requests arrive.
    async fn finish(&self) {
        if timeout(AT_THE_END, self.flush(Duration::ZERO)).await.is_err() {
            tracing::warn!("the last {} are not written: the store does not answer", Self::WHAT);
        }
    }
}
