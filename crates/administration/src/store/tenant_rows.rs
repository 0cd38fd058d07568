//! The store of tenants with all their rows.

use async_trait::async_trait;
use registry::{ClientId, TrustRules};
use tenancy::{Issuer, Stored, TenantId};
use values::{Lifetime, Timestamp};

use super::{Commit, CommitOutcome, Listed};
use crate::kinds;
use crate::kinds::TenantState;
use crate::kinds::state::TenantSummary;
use crate::store::query;

/// Reads tenants and clients, and commits changes.
#[async_trait]
pub trait TenantRows: Send + Sync {
    /// The tenants with these ids, and every other tenant that files manage.
    async fn list_tenant_summaries(&self, declared: &[TenantId]) -> Stored<Vec<TenantSummary>>;

    async fn load_state(&self, tenant: &TenantId) -> Stored<Option<TenantState>>;

    /// One tenant, with the requested clients only.
    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: query::RelatedClients<'_>,
    ) -> Stored<Option<TenantState>>;

    /// A page of a tenant's clients, without deleted ones.
    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &query::ClientQuery,
    ) -> Stored<Vec<Listed<kinds::client::State>>>;

    /// At most `limit` clients of a tenant that have trust rules, with these rules.
    async fn list_trust_rules(&self, tenant: &TenantId, limit: u32) -> Stored<Vec<(ClientId, TrustRules)>>;

    /// The tenants with these issuers or aliases, including retired and deleted tenants.
    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Stored<Vec<(Issuer, TenantId)>>;

    /// All issuers and aliases below these, with their tenants, including retired and deleted tenants.
    async fn find_issuers_below(&self, issuers: &[Issuer]) -> Stored<Vec<(Issuer, TenantId)>>;

    /// The tenants that have or had a key with one of these RFC 7638 thumbprints, including deleted tenants.
    async fn find_key_owners(&self, thumbprints: &[&str]) -> Stored<Vec<(String, TenantId)>>;

    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Stored<Vec<TenantId>>;

    /// Writes the commit completely, or nothing if a tenant has a different revision than expected.
    async fn commit(&self, commit: &Commit) -> Stored<CommitOutcome>;
}

#[async_trait]
pub trait TenantList: Send + Sync {
    /// A page of tenants without deleted ones, each with the cursor that continues after the tenant.
    async fn list_tenants(
        &self,
        query: &query::TenantQuery,
    ) -> Stored<Vec<(query::TenantCursor, TenantState)>>;
}

#[async_trait]
pub trait EndedSecrets: Send + Sync {
    /// Deletes at most `limit` client secrets that ended at least [`ENDED_SECRETS_STAY`] ago, and returns how
    /// many. The newest [`KEPT_ENDED_SECRETS`] ended secrets of each client stay, and so do secrets that a
    /// file declares.
    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Stored<u64>;
}

/// How many ended secrets of each client [`EndedSecrets::prune_ended_secrets`] keeps. It keeps the newest.
pub const KEPT_ENDED_SECRETS: u32 = 20;

/// How long every ended secret is kept.
pub const ENDED_SECRETS_STAY: Lifetime = Lifetime::from_seconds(30 * 86_400);
