//! What administration asks: states, generations, sealed values, the log of changes. Writing a plan is in `commit`.

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
use sqlx::sqlite::SqliteArguments;
use tenancy::{Issuer, StoreError, TenantId};

use crate::sqlite::SqliteDatabase;
use crate::sqlite::administration_row::{ChangeRow, SummaryRow, tenant_id};
use crate::sqlite::client_row::{self, ClientRow};
use crate::sqlite::column::unreadable;
use crate::sqlite::commit::{CommitError, commit};
use crate::sqlite::error::store_error;
use crate::sqlite::tenant_row::{self, TenantRow};

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM generations WHERE content = ?1)";

/// Across tenants on purpose: reconciling looks at all that it manages.
const TENANT_SUMMARIES: &str = "
    SELECT tenant_id, managed_by, suspended_at, retired_at, deleted_at, deletion_due_at, created_at, updated_at,
           fingerprint
      FROM tenants
     WHERE managed_by = 'config' OR tenant_id IN (SELECT value FROM json_each(?1))";

/// Across tenants on purpose: an issuer is unique on the whole platform.
const ISSUER_OWNERS: &str = "
    SELECT issuer, tenant_id FROM tenant_issuers WHERE issuer IN (SELECT value FROM json_each(?1))";

const FIND_SEALED: &str = "SELECT sealed FROM sealed_values WHERE name = ?1";

const PUT_SEALED: &str = "
    INSERT INTO sealed_values (name, sealed, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING";

const HOLDS_SEALED: &str = "
    SELECT EXISTS (SELECT 1 FROM sealed_values)
        OR EXISTS (SELECT 1 FROM signing_keys WHERE sealed_private_key <> x'')
        OR EXISTS (SELECT 1 FROM idempotent_answers)
        OR EXISTS (SELECT 1 FROM generations WHERE sealed_sources IS NOT NULL)";

/// Across tenants on purpose: whoever deletes them does so for the platform.
pub(crate) const DUE: &str = "
    SELECT tenant_id FROM tenants
     WHERE deletion_due_at IS NOT NULL AND deletion_due_at <= ?1
     ORDER BY deletion_due_at, tenant_id LIMIT ?2";

/// From the counter, not from the rows: old rows are removed.
const POSITION: &str = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'change_log'), 0)";

/// Across tenants on purpose: each process hears of every change.
pub(crate) const CHANGES: &str = "
    SELECT position, kind, tenant_id, client_id FROM change_log WHERE position > ?1 ORDER BY position";

#[async_trait]
impl AdministrationStore for SqliteDatabase {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        self.find_latest_generation().await
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar(IS_KNOWN).bind(content.as_bytes().as_slice());
        query.fetch_one(self.read()).await.map_err(store_error)
    }

    async fn list_tenant_summaries(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        let ids = serde_json::json!(declared.iter().map(TenantId::as_str).collect::<Vec<_>>());
        let rows: Vec<SummaryRow> = sqlx::query_as(TENANT_SUMMARIES)
            .bind(ids.to_string())
            .fetch_all(self.read())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(TenantSummary::try_from).collect()
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        self.state(tenant, sqlx::query_as(client_row::SELECT_ALL).bind(tenant.as_str())).await
    }

    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Result<Option<TenantState>, StoreError> {
        let RelatedClients { ids, listed } = related;
        let clients = sqlx::query_as(client_row::SELECT_RELATED)
            .bind(tenant.as_str())
            .bind(serde_json::json!(ids).to_string())
            .bind(serde_json::json!(listed).to_string());
        self.state(tenant, clients).await
    }

    async fn count_clients(&self, tenant: &TenantId, at_most: u64) -> Result<u64, StoreError> {
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let query = sqlx::query_scalar(client_row::COUNT).bind(tenant.as_str()).bind(at_most);
        let count: i64 = query.fetch_one(self.read()).await.map_err(store_error)?;
        Ok(count.unsigned_abs())
    }

    async fn list_tenants(
        &self,
        query: &TenantQuery,
    ) -> Result<Vec<(TenantCursor, TenantState)>, StoreError> {
        self.tenant_page(query).await
    }

    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Result<Vec<ClientState>, StoreError> {
        self.client_page(tenant, query).await
    }

    async fn secret_usage(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretUsage>, StoreError> {
        self.usage_of(tenant, client).await
    }

    async fn record_secret_usage(&self, usage: &[SecretUsage]) -> Result<(), StoreError> {
        self.record_usage(usage).await
    }

    async fn prune_ended_secrets(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.prune_secrets(now, limit).await
    }

    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
        self.audit_page(query).await
    }

    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        self.latest_whole_generations(limit).await
    }

    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.sources_of(number).await
    }

    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, StoreError> {
        self.idempotent_answer(tenant, key, now).await
    }

    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        let query = sqlx::query_scalar(DUE).bind(seconds(now)).bind(limit);
        let ids: Vec<String> = query.fetch_all(self.read()).await.map_err(store_error)?;
        ids.iter().map(|id| tenant_id(id)).collect()
    }

    async fn load_keys(&self, tenant: &TenantId) -> Result<Option<TenantKeys>, StoreError> {
        self.key_state(tenant).await
    }

    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        self.due_keys(now, limit).await
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.lease(name, holder, now, until).await
    }

    async fn record_verifier_fetches(&self, fetches: &[VerifierFetch]) -> Result<(), StoreError> {
        self.record_fetches(fetches).await
    }

    async fn verifier_fetches(&self, tenant: &TenantId) -> Result<Vec<VerifierFetch>, StoreError> {
        self.fetches_of(tenant).await
    }

    async fn list_sealed(
        &self,
        after: Option<&SealedPlace>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<(SealedPlace, Vec<u8>)>, StoreError> {
        self.sealed_after(after, limit, now).await
    }

    async fn replace_sealed(&self, place: &SealedPlace, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.put_sealed_anew(place, old, new).await
    }

    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Result<Option<Application>, StoreError> {
        self.application(tenant, application).await
    }

    async fn find_application_named(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<ApplicationId>, StoreError> {
        self.application_named(tenant, name).await
    }

    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Result<(u64, Vec<Application>), StoreError> {
        self.application_page(tenant, offset, limit).await
    }

    async fn find_issuer_owners(&self, issuers: &[Issuer]) -> Result<Vec<(Issuer, TenantId)>, StoreError> {
        let issuers = serde_json::json!(issuers.iter().map(Issuer::as_str).collect::<Vec<_>>());
        let rows: Vec<(String, String)> = sqlx::query_as(ISSUER_OWNERS)
            .bind(issuers.to_string())
            .fetch_all(self.read())
            .await
            .map_err(store_error)?;
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
        let query = sqlx::query_scalar(FIND_SEALED).bind(name);
        query.fetch_optional(self.read()).await.map_err(store_error)
    }

    async fn put_sealed_if_absent(
        &self,
        name: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await.map_err(store_error)?;
        let put = sqlx::query(PUT_SEALED)
            .bind(name)
            .bind(sealed)
            .bind(seconds(now))
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(put.rows_affected() > 0)
    }

    async fn holds_sealed_rows(&self) -> Result<bool, StoreError> {
        sqlx::query_scalar(HOLDS_SEALED).fetch_one(self.read()).await.map_err(store_error)
    }

    async fn position(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar(POSITION).fetch_one(self.read()).await.map_err(store_error)
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        let rows: Vec<ChangeRow> =
            sqlx::query_as(CHANGES).bind(position).fetch_all(self.read()).await.map_err(store_error)?;
        rows.into_iter().map(ChangeRow::change).collect()
    }
}

impl SqliteDatabase {
    /// A tenant and some of its clients, as they were at one moment.
    async fn state(
        &self,
        tenant: &TenantId,
        clients: sqlx::query::QueryAs<'_, sqlx::Sqlite, ClientRow, SqliteArguments>,
    ) -> Result<Option<TenantState>, StoreError> {
        let mut snapshot = self.snapshot().await.map_err(store_error)?;
        let row: Option<TenantRow> = sqlx::query_as(tenant_row::SELECT)
            .bind(tenant.as_str())
            .fetch_optional(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        let clients = clients.fetch_all(self.counted(&mut *snapshot)).await.map_err(store_error)?;
        row.state(clients.iter().map(ClientRow::state).collect::<Result<_, _>>()?).map(Some)
    }
}
