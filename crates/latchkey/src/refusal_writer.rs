//! Writes refused requests to the store every two seconds and at the end, some hundred a second at most: a request itself writes nothing.

use std::sync::Arc;
use std::time::Duration;

use administration::{AdministrationStore, RefusalBuffer};
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::batch_writer::{AT_THE_END, OutageLog};

const EVERY: Duration = Duration::from_secs(2);
/// Rows of one time.
const ROWS: usize = 1_000;
const WHAT: &str = "refused requests";

/// Moves refusals from memory to the store.
pub(crate) struct RefusalWriter {
    buffer: Arc<RefusalBuffer>,
    store: Arc<dyn AdministrationStore>,
    log: Mutex<OutageLog>,
}

impl RefusalWriter {
    pub(crate) fn new(buffer: Arc<RefusalBuffer>, store: Arc<dyn AdministrationStore>) -> Self {
        Self { buffer, store, log: Mutex::default() }
    }

    /// Writes until the program ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.flush().await;
        }
    }

    /// Writes the rest when no more requests arrive.
    pub(crate) async fn finish(&self) {
        if timeout(AT_THE_END, self.flush()).await.is_err() {
            tracing::warn!("the last {WHAT} are not written: the store does not answer");
        }
    }

    async fn flush(&self) {
        let mut log = self.log.lock().await;
        let refusals = self.buffer.take(ROWS);
        let written = self.store.record_refusals(&refusals).await;
        if written.is_err() {
            self.buffer.give_back(refusals);
        }
        log.note(WHAT, written.err());
    }
}
