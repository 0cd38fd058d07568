//! The store of applied configurations.

use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::declaration::fingerprint::Fingerprint;

/// Reads the configurations that were applied.
#[async_trait]
pub trait Generations: Send + Sync {
    /// The configuration that was applied last.
    async fn latest_generation(&self) -> Stored<Option<Generation>>;

    /// Whether this content was ever applied.
    async fn is_known_generation(&self, content: &Fingerprint) -> Stored<bool>;

    /// The latest whole generations, the newest first.
    async fn list_generations(&self, limit: u32) -> Stored<Vec<Generation>>;

    /// The sealed sources of a generation, if they are still stored.
    async fn find_generation_sources(&self, number: u64) -> Stored<Option<Vec<u8>>>;
}

/// A configuration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1.
    pub number: u64,
    /// The applied content.
    pub content: Fingerprint,
    pub applied_at: Timestamp,
    /// Tenants to which it was not applied because of a conflict, in the order of their ids. If there are
    /// none, the generation is whole.
    pub left_out: Vec<TenantId>,
}

/// A configuration to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGeneration {
    /// The content to apply.
    pub content: Fingerprint,
    /// The latest number when the plan was made. Of two replicas with the same change, only one applies it.
    pub expected_latest: Option<u64>,
    /// The sealed content that it was read from, for a rollback. The store keeps those of the latest
    /// [`KEPT_SOURCES`] whole generations.
    pub sealed_sources: Option<Vec<u8>>,
    /// See [`Generation::left_out`].
    pub left_out: Vec<TenantId>,
}

/// The number of generations to which a rollback is possible.
pub const KEPT_SOURCES: u64 = 20;
