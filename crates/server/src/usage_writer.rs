//! Adds the counts to the store every minute.

use std::sync::Arc;
use std::time::Duration;

use administration::administrator::ReadClock;
use administration::audit::usage;
use administration::store::AdministrationStore;
use async_trait::async_trait;
use tenancy::Stored;
use tokio::sync::Mutex;
use tokio::time::sleep;
use uuid::Uuid;

use crate::periodic::OutageLog;
use crate::periodic_writer::PeriodicWriter;

/// The most rows per second, and per transaction.
const ROWS: usize = 500;

pub(crate) struct UsageWriter {
    counts: Arc<usage::UsageCounts>,
    store: Arc<dyn AdministrationStore>,
    clock: ReadClock,
    /// The name of this process, which is unique even after a restart.
    replica: String,
    unwritten: Mutex<Unwritten>,
}

/// The counts to write next. Rows and number stay together until the store has confirmed the batch, so a
/// batch without a confirmation is not added twice.
#[derive(Default)]
struct Unwritten {
    number: u64,
    rows: Vec<usage::UsageDay>,
    log: OutageLog,
    uncounted: u64,
}

impl UsageWriter {
    pub(crate) fn new(
        counts: Arc<usage::UsageCounts>,
        store: Arc<dyn AdministrationStore>,
        clock: ReadClock,
    ) -> Self {
        let replica = Uuid::new_v4().to_string();
        Self { counts, store, clock, replica, unwritten: Mutex::default() }
    }

    async fn write(&self, unwritten: &mut Unwritten, pause: Duration) -> Stored<()> {
        while !unwritten.rows.is_empty() {
            let from = unwritten.rows.len().saturating_sub(ROWS);
            let (replica, number, now) = (self.replica.clone(), unwritten.number + 1, (self.clock)());
            let rows = unwritten.rows[from..].to_vec();
            self.store.add_usage(&usage::UsageBatch { replica, number, rows, now }).await?;
            unwritten.number = number;
            unwritten.rows.truncate(from);
            if from > 0 {
                sleep(pause).await;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl PeriodicWriter for UsageWriter {
    const WHAT: &'static str = "counts of usage";
    const EVERY: Duration = Duration::from_secs(60);

    /// Writes the previous batch if it is left over, then the new counts.
    async fn flush(&self, pause: Duration) {
        let mut unwritten = self.unwritten.lock().await;
        let mut written = self.write(&mut unwritten, pause).await;
        if written.is_ok() {
            unwritten.rows = self.counts.take();
            written = self.write(&mut unwritten, pause).await;
        }
        Self::log_outcome(&mut unwritten.log, &written);
        let uncounted = self.counts.uncounted();
        if uncounted > unwritten.uncounted {
            tracing::warn!(
                count = uncounted - unwritten.uncounted,
                "usage was not counted because the buffer is full"
            );
            unwritten.uncounted = uncounted;
        }
    }
}
