//! The store of applied configurations.

use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::declaration::fingerprint::Fingerprint;

#[async_trait]
pub trait Generations: Send + Sync {
    async fn latest_generation(&self) -> Stored<Option<Generation>>;

    /// Whether this content was ever applied.
    async fn is_known_generation(&self, content: &Fingerprint) -> Stored<bool>;

    /// The latest generations without conflicts, the newest first.
    async fn list_generations(&self, limit: u32) -> Stored<Vec<Generation>>;

    /// The sealed sources of a generation, if they are still stored.
    async fn find_generation_sources(&self, number: u64) -> Stored<Option<Vec<u8>>>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1.
    pub number: u64,
    pub content: Fingerprint,
    pub applied_at: Timestamp,
    /// Tenants to which the configuration was not applied because of a conflict, in the order of their ids.
    pub left_out: Vec<TenantId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGeneration {
    pub content: Fingerprint,
    /// The latest number when the plan was made. If two replicas apply the same change, only one succeeds.
    pub expected_latest: Option<u64>,
    /// The sealed files of the configuration, for a rollback. The store keeps the files of the latest
    /// [`KEPT_SOURCES`] generations without conflicts.
    pub sealed_sources: Option<Vec<u8>>,
    /// See [`Generation::left_out`].
    pub left_out: Vec<TenantId>,
}

pub const KEPT_SOURCES: u64 = 20;
