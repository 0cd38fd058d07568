//! Applied configurations.

use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{Stored, TenantId};

use crate::Fingerprint;

/// Reads the configurations that were applied.
#[async_trait]
pub trait Generations: Send + Sync {
    /// The configuration that was applied last.
    async fn latest_generation(&self) -> Stored<Option<Generation>>;

    /// Whether this content was ever applied.
    async fn is_known_generation(&self, content: &Fingerprint) -> Stored<bool>;

    /// The latest whole generations, the newest first.
    async fn list_generations(&self, limit: u32) -> Stored<Vec<Generation>>;

    /// The sealed sources of a generation, if the store still keeps them.
    async fn find_generation_sources(&self, number: u64) -> Stored<Option<Vec<u8>>>;
}

/// A configuration that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1.
    pub number: u64,
    /// What was applied.
    pub content: Fingerprint,
    /// When.
    pub applied_at: Timestamp,
    /// Tenants to which it was not applied because of a conflict, in the order of their ids. Where there are none, it is whole.
    pub left_out: Vec<TenantId>,
}

/// A configuration that is to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGeneration {
    /// What is applied.
    pub content: Fingerprint,
    /// The latest number when the plan was made: of two replicas with the same change, only one applies it.
    pub expected_latest: Option<u64>,
    /// What it was read from, sealed, for a rollback. Those of the latest [`KEPT_SOURCES`] whole generations are kept.
    pub sealed_sources: Option<Vec<u8>>,
    /// As [`Generation::left_out`].
    pub left_out: Vec<TenantId>,
}

/// So many generations can be rolled back to.
pub const KEPT_SOURCES: u64 = 20;
