//! Reads the log of changes when the store notifies that a row was logged. A notification carries no data,
//! so a lost one loses nothing.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use tenancy::{StoreError, Stored};
use tokio::time::timeout;

use crate::change_feed::LogPosition;
use crate::rows::LogReading;

/// How long a silent connection counts as alive: it can be dead without a sign.
const SILENCE: Duration = Duration::from_secs(3);
/// How long an answer may take before the connection is given up.
const ANSWER: Duration = Duration::from_secs(2);

/// A log of changes that notifies of new rows.
#[async_trait]
pub trait NotifyingLog: fmt::Debug + Send + Sync {
    /// Opens a connection that is notified of all rows that are logged after this call.
    async fn listen(&self) -> Stored<Box<dyn LogConnection>>;
}

/// A connection that is notified when a row was logged.
#[async_trait]
pub trait LogConnection: Send {
    /// The rows after this position, and the history that they are of.
    async fn changes(&mut self, position: i64) -> Stored<LogReading>;

    /// Waits for a notification, and takes with it all others that have arrived: one read of the log answers
    /// them all. Returns `false` when the connection has ended.
    async fn notified(&mut self) -> Stored<bool>;
}

/// Ends when the connection does.
pub(crate) async fn follow(
    log: &dyn NotifyingLog,
    position: &mut LogPosition,
    on_read: &mut (impl FnMut(LogReading, &mut LogPosition) + Send),
) -> Stored<()> {
    // Listening first: what is logged between the two is read now and notified once more.
    let mut connection = log.listen().await?;
    loop {
        let reading = timeout(ANSWER, connection.changes(position.after)).await;
        on_read(reading.map_err(StoreError::unavailable)??, position);
        match timeout(SILENCE, connection.notified()).await {
            Ok(Ok(true)) | Err(_) => {}
            Ok(Ok(false)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
        }
    }
}
