//! What administration asks, each method beside or in the file of what it reads. Writing a plan is in `commit`.

use administration::rows::seconds;
use administration::{
    AdministrationStore, Application, ApplicationId, AuditQuery, AuditRecord, ClientQuery, ClientState,
    CommitOutcome, CommitRequest, Fingerprint, Generation, IdempotentAnswer, Invalidation, SecretUse,
    TenantCursor, TenantQuery, TenantState, TenantSummary,
};
use async_trait::async_trait;
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{Issuer, StoreError, TenantId};

use crate::PostgresDatabase;
use crate::administration_row::{ChangeRow, SummaryRow};
use crate::column::{tenant_id, unreadable};
use crate::commit::{CommitError, commit};
use crate::error::store_error;
use crate::{
    application_row, audit_row, generation_row, idempotent_row, secret_uses, tenant_list, tenant_state,
};

/// Across tenants on purpose: reconciling looks at all that it manages.
const SURVEY: &str = "
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

const FIND_SEALED: &str = "SELECT sealed FROM sealed_values WHERE name = $1";

const PUT_SEALED: &str = "
    INSERT INTO sealed_values (name, sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";

const HOLDS_SEALED: &str = "
    SELECT EXISTS (SELECT 1 FROM sealed_values) OR EXISTS (SELECT 1 FROM signing_keys)
        OR EXISTS (SELECT 1 FROM idempotent_answers)
        OR EXISTS (SELECT 1 FROM generations WHERE sealed_sources IS NOT NULL)";

/// Of what is committed: the counter is already beyond what others are about to commit. Where all rows are old and gone, everything
/// is new.
const POSITION: &str = "SELECT COALESCE(MAX(position), 0) FROM change_log";

/// Across tenants on purpose: each process hears of every change.
pub(crate) const CHANGES: &str = "
    SELECT position, kind, tenant_id, client_id FROM change_log WHERE position > $1 ORDER BY position";

#[async_trait]
impl AdministrationStore for PostgresDatabase {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        Ok(generation_row::latest(self, 1).await?.pop())
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        generation_row::is_known(self, content).await
    }

    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        generation_row::latest(self, limit).await
    }

    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        generation_row::sources(self, number).await
    }

    async fn survey(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        let ids: Vec<&str> = declared.iter().map(TenantId::as_str).collect();
        let rows: Vec<SummaryRow> = self.oversee(sqlx::query_as(SURVEY).bind(ids)).await?;
        rows.into_iter().map(TenantSummary::try_from).collect()
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        tenant_state::whole(self, tenant).await
    }

    async fn load_around(
        &self,
        tenant: &TenantId,
        names: &[&str],
    ) -> Result<Option<TenantState>, StoreError> {
        tenant_state::around(self, tenant, names).await
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

    async fn secret_uses(&self, tenant: &TenantId, client: &ClientId) -> Result<Vec<SecretUse>, StoreError> {
        secret_uses::of_client(self, tenant, client).await
    }

    async fn record_secret_uses(&self, uses: &[SecretUse]) -> Result<(), StoreError> {
        secret_uses::record(self, uses).await
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
        let rows: Vec<(String,)> = self.oversee(query).await?;
        rows.iter().map(|(id,)| tenant_id(id)).collect()
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
        let rows: Vec<(String, String)> = self.oversee(sqlx::query_as(ISSUER_OWNERS).bind(issuers)).await?;
        let of_row = |(issuer, tenant): (String, String)| {
            let issuer = Issuer::parse(&issuer).map_err(|cause| unreadable("issuer", cause))?;
            Ok((issuer, tenant_id(&tenant)?))
        };
        rows.into_iter().map(of_row).collect()
    }

    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        match commit(self, request).await {
            Ok(generation) => Ok(CommitOutcome::Committed { generation }),
            Err(CommitError::Superseded) => Ok(CommitOutcome::Superseded),
            Err(CommitError::Store(error)) => Err(error),
        }
    }

    async fn find_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = self.oversee(sqlx::query_as(FIND_SEALED).bind(name)).await?;
        Ok(rows.into_iter().next().map(|(sealed,)| sealed))
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut work = self.begin().await.map_err(store_error)?;
        let query = sqlx::query(PUT_SEALED).bind(name).bind(sealed).bind(seconds(now));
        let put = work.execute(query).await.map_err(store_error)?;
        work.commit().await.map_err(store_error)?;
        Ok(put > 0)
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        self.one(sqlx::query_as(HOLDS_SEALED)).await
    }

    async fn position(&self) -> Result<i64, StoreError> {
        self.one(sqlx::query_as(POSITION)).await
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        let rows: Vec<ChangeRow> = self.oversee(sqlx::query_as(CHANGES).bind(position)).await?;
        rows.into_iter().map(ChangeRow::change).collect()
    }
}
