//! What administration asks, each method beside or in the file of what it reads. Writing a plan is in `commit`.

use administration::rows::seconds;
use administration::{
    AdministrationStore, Application, ApplicationId, AuditQuery, AuditRecord, ClientQuery, ClientState,
    CommitOutcome, CommitRequest, Fingerprint, Generation, IdempotentAnswer, Invalidation, RelatedClients,
    SealedPlace, SecretUsage, TenantCursor, TenantKeys, TenantQuery, TenantState, TenantSummary,
    VerifierFetch,
};
use async_trait::async_trait;
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{Issuer, StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::administration_row::{ChangeRow, SummaryRow};
use crate::postgres::column::{tenant_id, unreadable};
use crate::postgres::commit::{CommitError, commit};
use crate::postgres::{
    application_row, audit_row, ended_secrets, generation_row, idempotent_row, key_schedule, lease, sealed,
    secret_usage, tenant_list, tenant_state, verifier_fetches,
};

/// Across tenants on purpose: reconciling looks at all that it manages.
const TENANT_SUMMARIES: &str = "
    SELECT tenant_id, managed_by, created_at, updated_at, suspended_at, retired_at, deleted_at, deletion_due_at,
           fingerprint
      FROM tenants
     WHERE managed_by = 'config' OR tenant_id = ANY($1)";

/// Across tenants on purpose: one process looks after all of them.
const DUE_DELETIONS: &str = "
    SELECT tenant_id FROM tenants
     WHERE deletion_due_at <= $1 AND deleted_at IS NULL
     ORDER BY deletion_due_at, tenant_id LIMIT $2";

/// Across tenants on purpose: an issuer is unique on the whole platform.
const ISSUER_OWNERS: &str = "
    SELECT issuer, tenant_id FROM tenant_issuers WHERE issuer = ANY($1)";

/// Of what is committed: the counter is already beyond what others are about to commit. Where all rows are old and gone, everything
/// is new.
const POSITION: &str = "SELECT COALESCE(MAX(position), 0) FROM change_log";

/// Across tenants on purpose: each process hears of every change.
pub(crate) const CHANGES: &str = "
    SELECT position, kind, tenant_id, client_id FROM change_log WHERE position > $1 ORDER BY position";

#[async_trait]
impl AdministrationStore for PostgresDatabase {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        generation_row::latest(self).await
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        generation_row::is_known(self, content).await
    }

    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        generation_row::latest_whole(self, limit).await
    }

    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        generation_row::sources(self, number).await
    }

    async fn list_tenant_summaries(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        let ids: Vec<&str> = declared.iter().map(TenantId::as_str).collect();
        let rows: Vec<SummaryRow> =
            self.query_across_tenants(sqlx::query_as(TENANT_SUMMARIES).bind(ids)).await?;
        rows.into_iter().map(TenantSummary::try_from).collect()
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        tenant_state::whole(self, tenant).await
    }

    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Result<Option<TenantState>, StoreError> {
        tenant_state::related(self, tenant, related).await
    }

    async fn count_clients(&self, tenant: &TenantId, at_most: u64) -> Result<u64, StoreError> {
        tenant_state::client_count(self, tenant, at_most).await
    }

    async fn list_tenants(
        &self,
        query: &TenantQuery,
    ) -> Result<Vec<(TenantCursor, TenantState)>, StoreError> {
        tenant_list::page(self, query).await
    }

    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Result<Vec<ClientState>, StoreError> {
        tenant_state::clients(self, tenant, query).await
    }

    async fn secret_usage(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretUsage>, StoreError> {
        secret_usage::of_client(self, tenant, client).await
    }

    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Result<(), StoreError> {
        secret_usage::record(self, usage).await
    }

    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        ended_secrets::prune(self, now, limit).await
    }

    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
        audit_row::page(self, query).await
    }

    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StoreError> {
        idempotent_row::find(self, tenant, key, now).await
    }

    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        let query = sqlx::query_as(DUE_DELETIONS).bind(seconds(now)).bind(i64::from(limit));
        let rows: Vec<(String,)> = self.query_across_tenants(query).await?;
        rows.iter().map(|(id,)| tenant_id(id)).collect()
    }

    async fn load_keys(&self, tenant: &TenantId) -> Result<Option<TenantKeys>, StoreError> {
        key_schedule::load(self, tenant).await
    }

    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        key_schedule::due(self, now, limit).await
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        lease::try_take(self, name, holder, now, until).await
    }

    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Result<(), StoreError> {
        verifier_fetches::record(self, fetches).await
    }

    async fn verifier_fetches(&self, tenant: &TenantId) -> Result<Vec<VerifierFetch>, StoreError> {
        verifier_fetches::of_tenant(self, tenant).await
    }

    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(SealedPlace, Vec<u8>)>, StoreError> {
        sealed::list(self, after, limit, now).await
    }

    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        sealed::replace(self, place, old, new).await
    }

    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Result<Option<Application>, StoreError> {
        application_row::find(self, tenant, application).await
    }

    async fn find_application_named(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ApplicationId>, StoreError> {
        application_row::find_named(self, tenant, name).await
    }

    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), StoreError> {
        application_row::page(self, tenant, offset, limit).await
    }

    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Result<Vec<(Issuer, TenantId)>, StoreError> {
        let issuers: Vec<&str> = issuers.iter().map(Issuer::as_str).collect();
        let rows: Vec<(String, String)> =
            self.query_across_tenants(sqlx::query_as(ISSUER_OWNERS).bind(issuers)).await?;
        let of_row = |(issuer, tenant): (String, String)| {
            let issuer = Issuer::parse(&issuer).map_err(|cause| unreadable("issuer", cause))?;
            Ok((issuer, tenant_id(&tenant)?))
        };
        rows.into_iter().map(of_row).collect()
    }

    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        match commit(self, request).await {
            Ok(generation) => Ok(CommitOutcome::Committed { generation }),
            Err(CommitError::StaleRevision) => Ok(CommitOutcome::StaleRevision),
            Err(CommitError::Store(error)) => Err(error),
        }
    }

    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        sealed::find(self, name).await
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        sealed::put_if_absent(self, name, sealed, now).await
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        sealed::holds_any(self).await
    }

    async fn position(&self) -> Result<i64, StoreError> {
        self.one(sqlx::query_as(POSITION)).await
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        let rows: Vec<ChangeRow> = self.query_across_tenants(sqlx::query_as(CHANGES).bind(position)).await?;
        rows.into_iter().map(ChangeRow::change).collect()
    }
}
