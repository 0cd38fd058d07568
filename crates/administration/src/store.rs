//! What administration asks of a store: the state of things, and to commit a change whole or not at all. Each method is one
//! transaction; no transaction crosses this border.

use async_trait::async_trait;
use keys::KeyRecord;
use protocol::Timestamp;
use registry::{ClientId, ClientSecret};
use tenancy::{Issuer, StoreError, TenantId};

use crate::{AuditRecord, Change, Fingerprint, Invalidation, ManagedBy, TenantState, TenantSummary};

/// Holds the rows of the platform.
#[async_trait]
pub trait AdministrationStore: Send + Sync {
    /// What was applied last.
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError>;

    /// Whether this content was ever applied.
    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError>;

    /// Every tenant that configuration manages, and those of these ids, whoever manages them.
    async fn survey(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError>;

    /// Everything about one tenant.
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError>;

    /// Which tenants have these issuers or aliases, retired and deleted ones too.
    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Result<Vec<(Issuer, TenantId)>, StoreError>;

    /// Writes everything in the request, or nothing where something else was written since it was planned.
    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError>;

    /// A sealed value by its name.
    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores a sealed value unless there is one of this name already, and says whether it did.
    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Whether anything here, key or value, can be read with the old sealing key only.
    async fn holds_sealed_rows(&self) -> Result<bool, StoreError>;

    /// Where the log of changes stands now.
    async fn position(&self) -> Result<i64, StoreError>;

    /// What changed after a position, each with its own, in their order.
    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError>;
}

/// A configuration that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1.
    pub number: u64,
    /// What was applied.
    pub content: Fingerprint,
    /// When.
    pub applied_at: Timestamp,
}

/// A configuration that is to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewGeneration {
    /// What is applied.
    pub content: Fingerprint,
    /// The latest number when the plan was made: of two replicas with the same change, only one applies it.
    pub expected_latest: Option<u64>,
}

/// Changes that belong together, with all that they need.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// Which door asks. It marks the rows that are added, and no other door's row is touched.
    pub managed_by: ManagedBy,
    /// The configuration behind the changes; absent for the other doors.
    pub generation: Option<NewGeneration>,
    /// What changes.
    pub changes: Vec<Change>,
    /// The hashes of the secrets that are added.
    pub secrets: Vec<NewSecret>,
    /// The sealed keys that tenants begin with.
    pub first_keys: Vec<(TenantId, KeyRecord)>,
    /// What is noted at the tenants.
    pub marks: Vec<TenantMark>,
    /// Who did what.
    pub audit: Vec<AuditRecord>,
    /// When.
    pub now: Timestamp,
}

/// A secret's row that comes to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// Whose client.
    pub tenant: TenantId,
    /// Whose secret.
    pub client: ClientId,
    /// The row.
    pub secret: ClientSecret,
    /// By which reconciling recognises a declared value.
    pub declared_digest: Option<[u8; 32]>,
}

/// What is noted at a tenant beside its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantMark {
    /// At which.
    pub tenant: TenantId,
    /// Of the declaration that the tenant now agrees with; absent where it is no longer declared.
    pub fingerprint: Option<Fingerprint>,
    /// When the last token that was issued under a longer lifetime than today's expires; absent leaves what is noted.
    pub earlier_tokens_until: Option<Timestamp>,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// Everything is written.
    Committed {
        /// The number of the configuration, where there was one.
        generation: Option<u64>,
    },
    /// Nothing is written: something that the plan rests on has changed since. Plan again.
    Superseded,
}
