//! The store of the audit stream: what was written of it, and which personal data is still stored.

use async_trait::async_trait;
use tenancy::{Stored, TenantId};

use crate::audit::AuditRecord;
use crate::audit::audit_stream::{AuditChain, AuditSalt};

/// The chains of all tenants. The methods span tenants because one process writes the lines of all tenants.
#[async_trait]
pub trait AuditStream: Send + Sync {
    /// At most `limit` tenants after this one with unwritten records or lines, in the order of their ids.
    async fn find_unwritten_audit(&self, after: Option<&TenantId>, limit: u32) -> Stored<Vec<TenantId>>;

    /// The chain of a tenant. `None` before its first line.
    async fn find_audit_chain(&self, tenant: &TenantId) -> Stored<Option<AuditChain>>;

    /// At most `limit` records of a tenant after this position, in the order of their positions. This is also
    /// the order of commits: no later commit gets a smaller position.
    async fn list_audit_after(
        &self,
        tenant: &TenantId,
        position: i64,
        limit: u32,
    ) -> Stored<Vec<(i64, AuditRecord)>>;

    /// Stores new lines with the salts of their digests, if the stored chain has the id and ends with the
    /// line of `after`, and all of its lines are written. Returns whether it does. If a person was deleted in
    /// the meantime, the person's salt is not stored.
    async fn add_audit_lines(
        &self,
        tenant: &TenantId,
        chain: &AuditChain,
        after: (&str, u64),
        salts: &[(i64, AuditSalt)],
    ) -> Stored<bool>;

    /// Records that all lines of a chain are written.
    async fn note_written_audit(&self, tenant: &TenantId, chain: &AuditChain) -> Stored<()>;

    /// Deletes the addresses from which deleted people acted, and the salts of their records. Returns the
    /// number of these people. One call handles a limited number of people.
    async fn erase_deleted_people(&self) -> Stored<u64>;
}
