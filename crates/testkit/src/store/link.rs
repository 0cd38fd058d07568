//! The connection of a process to its store.

use async_trait::async_trait;
use tenancy::Stored;

/// The connection of a process to its store, which may delay or lose each call.
#[async_trait]
pub trait Link: Send + Sync {
    /// Ends when a call arrives at the store, or fails when it never does.
    async fn send(&self) -> Stored<()>;

    /// Begins when the store has completed a call of this method, and ends when its answer arrives, or fails
    /// when it never does.
    async fn receive(&self, method: &str) -> Stored<()>;
}
