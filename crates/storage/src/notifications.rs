//! Notifications about new rows of the change log. A notification carries no data, so losing one loses no
//! change.

use std::fmt;

use async_trait::async_trait;
use tenancy::Stored;

use crate::rows::LogReading;

#[async_trait]
pub trait NotifyingLog: fmt::Debug + Send + Sync {
    /// Opens a connection that is notified of all rows that are logged after this call.
    async fn listen(&self) -> Stored<Box<dyn LogConnection>>;
}

#[async_trait]
pub trait LogConnection: Send {
    /// The rows that a reading with the end `after` has not seen, and the history of the store.
    async fn changes(&mut self, after: &str) -> Stored<LogReading>;

    /// Waits for a notification and discards all others that have arrived: one read of the log covers all of
    /// them. Returns `false` if the connection has ended.
    async fn notified(&mut self) -> Stored<bool>;
}
