//! Notifications that a row was logged. A notification carries no data, so a lost one loses nothing.

use std::fmt;

use async_trait::async_trait;
use tenancy::Stored;

use crate::rows::LogReading;

/// A log of changes that notifies of new rows.
#[async_trait]
pub trait NotifyingLog: fmt::Debug + Send + Sync {
    /// Opens a connection that is notified of all rows that are logged after this call.
    async fn listen(&self) -> Stored<Box<dyn LogConnection>>;
}

/// A connection that is notified when a row was logged.
#[async_trait]
pub trait LogConnection: Send {
    /// The rows that a reading with this end has not seen, and the history that they are of.
    async fn changes(&mut self, after: &str) -> Stored<LogReading>;

    /// Waits for a notification, and takes with it all others that have arrived: one read of the log answers
    /// them all. Returns `false` when the connection has ended.
    async fn notified(&mut self) -> Stored<bool>;
}
