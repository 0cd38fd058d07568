//! Periodically writes data from memory to the store, and at the end of the program. Requests themselves
//! write nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tenancy::Stored;
use tokio::time::timeout;

use crate::periodic::{OutageLog, rounds};

/// The longest wait for the store at the end: a stopped program must end.
pub(crate) const AT_THE_END: Duration = Duration::from_secs(3);

/// If the program is killed, the data since the last write is lost.
#[async_trait]
pub(crate) trait PeriodicWriter: Send + Sync + 'static {
    /// The noun for the data in the log.
    const WHAT: &'static str;
    /// The time between two writes.
    const EVERY: Duration;

    /// Writes the data. Pauses after each batch, to limit the rows per second. Data that could not be written
    /// stays in memory.
    async fn flush(&self, pause: Duration);

    fn log_outcome(log: &mut OutageLog, outcome: &Stored<()>) {
        let what = Self::WHAT;
        log.note(
            outcome,
            format_args!("cannot write {what}; keeping them in memory"),
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

    /// Writes the rest. Call this method when no more requests arrive.
    async fn finish(&self) {
        if timeout(AT_THE_END, self.flush(Duration::ZERO)).await.is_err() {
            tracing::warn!("the last {} were not written, because the store does not respond", Self::WHAT);
        }
    }
}
