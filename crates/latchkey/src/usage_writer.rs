//! Adds what was counted to the store every minute and at the end: a request itself writes nothing. A program that is killed loses the counts
//! since the last minute.

use std::sync::Arc;
use std::time::Duration;

use administration::{AdministrationStore, Clock, UsageBatch, UsageCounts, UsageDay};
use tenancy::StoreError;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use uuid::Uuid;

use crate::batch_writer::{AT_THE_END, OutageLog};

const EVERY: Duration = Duration::from_secs(60);
/// Rows a second, and a transaction.
const ROWS: usize = 500;
const WHAT: &str = "counts of usage";

/// Moves counts from memory to the store.
pub(crate) struct UsageWriter {
    counts: Arc<UsageCounts>,
    store: Arc<dyn AdministrationStore>,
    clock: Clock,
    /// Of this process, which may be started again under the same name.
    replica: String,
    unwritten: Mutex<Unwritten>,
}

/// What is written next. Rows and number stay together until the store has said that they are added: what it has added without saying so is
/// not added twice.
#[derive(Default)]
struct Unwritten {
    /// Of batches that are added.
    number: u64,
    rows: Vec<UsageDay>,
    log: OutageLog,
    uncounted: u64,
}

impl UsageWriter {
    pub(crate) fn new(counts: Arc<UsageCounts>, store: Arc<dyn AdministrationStore>, clock: Clock) -> Self {
        let replica = Uuid::new_v4().to_string();
        Self { counts, store, clock, replica, unwritten: Mutex::default() }
    }

    /// Writes every minute, until the program ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.flush(Duration::from_secs(1)).await;
        }
    }

    /// Writes the rest when no more requests arrive.
    pub(crate) async fn finish(&self) {
        if timeout(AT_THE_END, self.flush(Duration::ZERO)).await.is_err() {
            tracing::warn!("the last {WHAT} are not written: the store does not answer");
        }
    }

    /// Writes what was left over, then what was counted since, with this pause between batches.
    async fn flush(&self, pause: Duration) {
        let mut unwritten = self.unwritten.lock().await;
        let mut written = self.write(&mut unwritten, pause).await;
        if written.is_ok() {
            unwritten.rows = self.counts.take();
            written = self.write(&mut unwritten, pause).await;
        }
        unwritten.log.note(WHAT, written.err());
        let uncounted = self.counts.uncounted();
        if uncounted > unwritten.uncounted {
            tracing::warn!(count = uncounted - unwritten.uncounted, "usage was not counted for lack of room");
            unwritten.uncounted = uncounted;
        }
    }

    async fn write(&self, unwritten: &mut Unwritten, pause: Duration) -> Result<(), StoreError> {
        while !unwritten.rows.is_empty() {
            let from = unwritten.rows.len().saturating_sub(ROWS);
            let (replica, number, now) = (self.replica.clone(), unwritten.number + 1, (self.clock)());
            let rows = unwritten.rows[from..].to_vec();
            self.store.add_usage(&UsageBatch { replica, number, rows, now }).await?;
            unwritten.number = number;
            unwritten.rows.truncate(from);
            if from > 0 {
                sleep(pause).await;
            }
        }
        Ok(())
    }
}
