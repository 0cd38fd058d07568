//! Writes data from memory to the store periodically, and at the end: a request itself writes nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tenancy::StoreError;
use tokio::time::{MissedTickBehavior, interval, timeout};
use values::causes;

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

    /// Writes until the program ends.
    async fn run(self: Arc<Self>) {
        let mut rounds = interval(Self::EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
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

/// Logs that a store does not take what is to be written: a long outage is two lines.
#[derive(Default)]
pub(crate) struct OutageLog {
    is_failing: bool,
}

impl OutageLog {
    pub(crate) fn note(&mut self, what: &str, failure: Option<StoreError>) {
        match (&failure, self.is_failing) {
            (Some(error), false) => {
                tracing::warn!(error = causes(error), "{what} cannot be written and are kept in memory");
            }
            (None, true) => tracing::info!("{what} are written again"),
            (Some(_), true) | (None, false) => {}
        }
        self.is_failing = failure.is_some();
    }
}
