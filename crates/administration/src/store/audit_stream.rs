//! The store of the audit stream: how far it is, and what personal texts are still there.

use async_trait::async_trait;
use tenancy::{Stored, TenantId};

use crate::audit::AuditRecord;
use crate::audit::audit_stream::{AuditChain, AuditSalt};

/// The chains of all tenants, across tenants on purpose: one process writes the lines of all of them.
#[async_trait]
pub trait AuditStream: Send + Sync {
    /// At most `limit` tenants with records or lines that are not written, in the order of their ids, after
    /// this one.
    async fn find_unwritten_audit(&self, after: Option<&TenantId>, limit: u32) -> Stored<Vec<TenantId>>;

    /// The chain of a tenant; none before its first line.
    async fn find_audit_chain(&self, tenant: &TenantId) -> Stored<Option<AuditChain>>;

    /// At most `limit` records of a tenant after this position, in the order of their positions. That is the
    /// order of their commits: none is committed later with a smaller one.
    async fn list_audit_after(
        &self,
        tenant: &TenantId,
        position: i64,
        limit: u32,
    ) -> Stored<Vec<(i64, AuditRecord)>>;

    /// Stores new lines with the salts of their digests, if the stored chain ends with line `after` and all
    /// of its lines are written. Returns whether it does. The salt of a person who was deleted meanwhile is
    /// not stored.
    async fn add_audit_lines(
        &self,
        tenant: &TenantId,
        chain: &AuditChain,
        after: u64,
        salts: &[(i64, AuditSalt)],
    ) -> Stored<bool>;

    /// Notes that the lines of a chain are written up to its end.
    async fn note_written_audit(&self, tenant: &TenantId, chain: &AuditChain) -> Stored<()>;

    /// Deletes the addresses from which deleted people acted, and the salts of their records. Returns the
    /// number of these people, of whom one call takes a limited number.
    async fn erase_deleted_people(&self) -> Stored<u64>;
}
