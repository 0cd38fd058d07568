//! Writes down what requests have only noted in memory, every ten seconds and at the end: a request itself writes nothing, and a program
//! that is killed loses what was noted since the last time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use administration::AdministrationStore;
use async_trait::async_trait;
use tenancy::StoreError;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::causes::causes;

pub(crate) const EVERY: Duration = Duration::from_secs(10);
/// Rows a transaction: small enough that nothing else waits long behind one.
pub(crate) const BATCH: usize = 1_000;
/// At the end a store that does not answer is waited for no longer; whoever stops a program expects it to stop.
pub(crate) const AT_THE_END: Duration = Duration::from_secs(3);

/// What is noted in memory.
#[async_trait]
pub(crate) trait Buffered: Send + Sync {
    /// What the log calls it.
    const WHAT: &'static str;
    /// One of it.
    type Row: Send + Sync;

    /// Takes everything.
    fn drain(&self) -> Vec<Self::Row>;
    /// Puts back what could not be written; what has come since is newer.
    fn give_back(&self, rows: Vec<Self::Row>);
    /// How many were forgotten for lack of room, since the start.
    fn dropped(&self) -> u64;
    /// Writes some of it.
    async fn write(store: &dyn AdministrationStore, rows: &[Self::Row]) -> Result<(), StoreError>;
}

/// Carries notes from memory to the store.
pub(crate) struct BatchWriter<N> {
    buffer: Arc<N>,
    store: Arc<dyn AdministrationStore>,
    logged: Mutex<Logged>,
    /// One at a time, so that the last one waits for one that is under way.
    turn: tokio::sync::Mutex<()>,
}

/// What the log has been told, so that a long outage is two lines.
#[derive(Default)]
struct Logged {
    is_failing: bool,
    dropped: u64,
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

    /// Writes what is still there, when no request comes any more.
    pub(crate) async fn finish(&self) {
        if timeout(AT_THE_END, self.flush()).await.is_err() {
            tracing::warn!("the last {} are not written: the store does not answer", N::WHAT);
        }
    }

    /// Writes everything that is noted now. What cannot be written stays for the next time.
    pub(crate) async fn flush(&self) {
        let _turn = self.turn.lock().await;
        let unwritten = Unwritten { rows: self.buffer.drain(), buffer: &*self.buffer };
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
        match (failure, logged.is_failing) {
            (Some(error), false) => {
                tracing::warn!(
                    error = causes(&error),
                    "{} cannot be written and are kept in memory",
                    N::WHAT
                );
                logged.is_failing = true;
            }
            (None, true) => {
                tracing::info!("{} are written again", N::WHAT);
                logged.is_failing = false;
            }
            (Some(_), true) | (None, false) => {}
        }
        let dropped = self.buffer.dropped();
        if dropped > logged.dropped {
            tracing::warn!(count = dropped - logged.dropped, "{} were forgotten for lack of room", N::WHAT);
            logged.dropped = dropped;
        }
    }
}

/// Goes back to memory unless it was written, also where writing is given up half way.
struct Unwritten<'a, N: Buffered> {
    rows: Vec<N::Row>,
    buffer: &'a N,
}

impl<N: Buffered> Drop for Unwritten<'_, N> {
    fn drop(&mut self) {
        self.buffer.give_back(std::mem::take(&mut self.rows));
    }
}
