//! Writes usage buffers to the store every ten seconds.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use administration::store::AdministrationStore;
use async_trait::async_trait;
use parking_lot::Mutex;
use tenancy::{Stored, Usage, UsageBuffer};

use crate::periodic::OutageLog;
use crate::periodic_writer::PeriodicWriter;

/// The most rows of a transaction, so that other transactions do not wait long for it.
pub(crate) const BATCH: usize = 1_000;

/// A kind of use that is buffered in memory.
#[async_trait]
pub(crate) trait Buffered: Send + Sync {
    /// The noun for these uses in the log.
    const WHAT: &'static str;
    type Owner: Clone + Hash + Ord + Send + Sync;
    type User: Clone + Ord + Send + Sync;
    type Newest: Clone + Ord + Send + Sync;

    fn buffer(&self) -> &UsageBuffer<Self::Owner, Self::User, Self::Newest>;
    /// The number of uses since the start that were dropped for lack of room.
    fn dropped(&self) -> u64 {
        self.buffer().dropped()
    }
    async fn write(store: &dyn AdministrationStore, rows: &[Row<Self>]) -> Stored<()>;
}

type Row<B> = Usage<<B as Buffered>::Owner, <B as Buffered>::User, <B as Buffered>::Newest>;

pub(crate) struct BatchWriter<N> {
    buffer: Arc<N>,
    store: Arc<dyn AdministrationStore>,
    logged: Mutex<Logged>,
    /// Only one write at a time: the last write waits for a running one.
    turn: tokio::sync::Mutex<()>,
}

/// The failures that were already logged.
#[derive(Default)]
struct Logged {
    outage: OutageLog,
    dropped: u64,
}

impl<N: Buffered + 'static> BatchWriter<N> {
    pub(crate) fn new(buffer: Arc<N>, store: Arc<dyn AdministrationStore>) -> Self {
        Self { buffer, store, logged: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    async fn write(&self, mut unwritten: UnwrittenRows<'_, N>) -> Stored<()> {
        while !unwritten.rows.is_empty() {
            let batch = unwritten.rows.len().saturating_sub(BATCH);
            N::write(&*self.store, &unwritten.rows[batch..]).await?;
            unwritten.rows.truncate(batch);
        }
        Ok(())
    }

    fn log(&self, outcome: &Stored<()>) {
        let mut logged = self.logged.lock();
        Self::log_outcome(&mut logged.outage, outcome);
        let dropped = self.buffer.dropped();
        if dropped > logged.dropped {
            tracing::warn!(
                count = dropped - logged.dropped,
                "{} were dropped because the buffer is full",
                N::WHAT
            );
            logged.dropped = dropped;
        }
    }
}

#[async_trait]
impl<N: Buffered + 'static> PeriodicWriter for BatchWriter<N> {
    const WHAT: &'static str = N::WHAT;
    const EVERY: Duration = Duration::from_secs(10);

    async fn flush(&self, _: Duration) {
        let _turn = self.turn.lock().await;
        let unwritten = UnwrittenRows { rows: self.buffer.buffer().drain(), buffer: &*self.buffer };
        self.log(&self.write(unwritten).await);
    }
}

/// Rows that return to the buffer when they are dropped, unless they were written. So an interrupted write
/// loses no rows.
struct UnwrittenRows<'a, N: Buffered> {
    rows: Vec<Row<N>>,
    buffer: &'a N,
}

impl<N: Buffered> Drop for UnwrittenRows<'_, N> {
    fn drop(&mut self) {
        self.buffer.buffer().give_back(std::mem::take(&mut self.rows));
    }
}
