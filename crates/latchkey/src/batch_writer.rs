//! Writes usage buffers to the store every ten seconds and at the end: a request itself writes nothing. A program that is killed loses the
//! uses since the last write.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use administration::AdministrationStore;
use async_trait::async_trait;
use tenancy::{StoreError, Usage, UsageBuffer};
use tokio::time::{MissedTickBehavior, interval, timeout};

use protocol::causes;

pub(crate) const EVERY: Duration = Duration::from_secs(10);
/// Rows a transaction: small enough that nothing else waits long behind one.
pub(crate) const BATCH: usize = 1_000;
/// The longest wait for the store at the end: a stopped program must end.
pub(crate) const AT_THE_END: Duration = Duration::from_secs(3);

/// Uses that are buffered in memory.
#[async_trait]
pub(crate) trait Buffered: Send + Sync {
    /// Their name in the log.
    const WHAT: &'static str;
    type Owner: Clone + Hash + Ord + Send + Sync;
    type User: Clone + Ord + Send + Sync;
    type Newest: Clone + Ord + Send + Sync;

    fn buffer(&self) -> &UsageBuffer<Self::Owner, Self::User, Self::Newest>;
    /// The number of uses that were dropped for lack of room since the start.
    fn dropped(&self) -> u64 {
        self.buffer().dropped()
    }
    /// Writes some of them.
    async fn write(store: &dyn AdministrationStore, rows: &[Row<Self>]) -> Result<(), StoreError>;
}

type Row<B> = Usage<<B as Buffered>::Owner, <B as Buffered>::User, <B as Buffered>::Newest>;

/// Moves uses from a buffer to the store.
pub(crate) struct BatchWriter<N> {
    buffer: Arc<N>,
    store: Arc<dyn AdministrationStore>,
    logged: Mutex<Logged>,
    /// One write at a time: the last write waits for a running one.
    turn: tokio::sync::Mutex<()>,
}

/// What has been logged.
#[derive(Default)]
struct Logged {
    outage: OutageLog,
    dropped: u64,
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

impl<N: Buffered> BatchWriter<N> {
    pub(crate) fn new(buffer: Arc<N>, store: Arc<dyn AdministrationStore>) -> Self {
        Self { buffer, store, logged: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Writes every ten seconds, until the program ends.
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
            tracing::warn!("the last {} are not written: the store does not answer", N::WHAT);
        }
    }

    /// Writes all buffered uses. Uses that cannot be written stay in the buffer.
    pub(crate) async fn flush(&self) {
        let _turn = self.turn.lock().await;
        let unwritten = Unwritten { rows: self.buffer.buffer().drain(), buffer: &*self.buffer };
        self.log_outcome(self.write(unwritten).await.err());
    }

    async fn write(&self, mut unwritten: Unwritten<'_, N>) -> Result<(), StoreError> {
        while !unwritten.rows.is_empty() {
            let batch = unwritten.rows.len().saturating_sub(BATCH);
            N::write(&*self.store, &unwritten.rows[batch..]).await?;
            unwritten.rows.truncate(batch);
        }
        Ok(())
    }

    fn log_outcome(&self, failure: Option<StoreError>) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.outage.note(N::WHAT, failure);
        let dropped = self.buffer.dropped();
        if dropped > logged.dropped {
            tracing::warn!(count = dropped - logged.dropped, "{} were forgotten for lack of room", N::WHAT);
            logged.dropped = dropped;
        }
    }
}

/// Rows that return to the buffer on drop unless they were written, also when writing stops half way.
struct Unwritten<'a, N: Buffered> {
    rows: Vec<Row<N>>,
    buffer: &'a N,
}

impl<N: Buffered> Drop for Unwritten<'_, N> {
    fn drop(&mut self) {
        self.buffer.buffer().give_back(std::mem::take(&mut self.rows));
    }
}
