//! The connection of a process to its store.

use async_trait::async_trait;
use tenancy::Stored;

/// The connection of a process to its store, which may delay or lose each call.
#[async_trait]
pub trait Link: Send + Sync {
    /// Completes when a call arrives at the store. Fails if the call is lost.
    async fn send(&self) -> Stored<()>;

    /// Called when the store has completed a call of this method. Completes when the answer arrives. Fails if
    /// the answer is lost.
    async fn receive(&self, method: &str) -> Stored<()>;
}
