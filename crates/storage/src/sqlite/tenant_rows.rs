//! Tenants and their clients as administration sees them. Writing a commit is in `commit`.

use administration::rows::seconds;
use administration::{
    ClientQuery, ClientState, CommitOutcome, CommitRequest, RelatedClients, TenantRows, TenantState,
    TenantSummary,
};
use async_trait::async_trait;
use protocol::Timestamp;
use registry::ClientId;
use sqlx::sqlite::SqliteArguments;
use tenancy::{Issuer, StoreError, TenantId};

use crate::column::{tenant_id, unreadable};
use crate::rows::{ClientRow, SummaryRow, TenantRow};
use crate::sqlite::SqliteDatabase;
use crate::sqlite::client_store;
use crate::sqlite::commit::{CommitError, commit};
use crate::sqlite::error::store_error;
use crate::sqlite::tenant_store;

/// Across tenants on purpose: reconciling looks at all that it manages.
const TENANT_SUMMARIES: &str = "
    SELECT tenant_id, managed_by, suspended_at, retired_at, deleted_at, deletion_due_at, created_at, updated_at,
           fingerprint
      FROM tenants
     WHERE managed_by = 'config' OR tenant_id IN (SELECT value FROM json_each(?1))";

/// Across tenants on purpose: an issuer is unique on the whole platform.
const ISSUER_OWNERS: &str = "
    SELECT issuer, tenant_id FROM tenant_issuers WHERE issuer IN (SELECT value FROM json_each(?1))";

/// Across tenants on purpose: the platform deletes them.
pub(crate) const DUE: &str = "
    SELECT tenant_id FROM tenants
     WHERE deletion_due_at IS NOT NULL AND deletion_due_at <= ?1
     ORDER BY deletion_due_at, tenant_id LIMIT ?2";

#[async_trait]
impl TenantRows for SqliteDatabase {
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
        self.state(tenant, sqlx::query_as(client_store::SELECT_ALL).bind(tenant.as_str())).await
    }

    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Result<Option<TenantState>, StoreError> {
        let RelatedClients { ids, listed } = related;
        let clients = sqlx::query_as(client_store::SELECT_RELATED)
            .bind(tenant.as_str())
            .bind(serde_json::json!(ids).to_string())
            .bind(serde_json::json!(listed).to_string());
        self.state(tenant, clients).await
    }

    async fn count_clients(&self, tenant: &TenantId, at_most: u64) -> Result<u64, StoreError> {
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let query = sqlx::query_scalar(client_store::COUNT).bind(tenant.as_str()).bind(at_most);
        let count: i64 = query.fetch_one(self.read()).await.map_err(store_error)?;
        Ok(count.unsigned_abs())
    }

    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Result<Vec<ClientState>, StoreError> {
        let part = query.search.as_deref().unwrap_or_default().to_ascii_lowercase();
        let rows: Vec<ClientRow> = sqlx::query_as(client_store::SELECT_PAGE)
            .bind(tenant.as_str())
            .bind(query.after.as_ref().map_or("", ClientId::as_str))
            .bind(part)
            .bind(query.limit)
            .fetch_all(self.read())
            .await
            .map_err(store_error)?;
        rows.iter().map(ClientRow::state).collect()
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

    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        let query = sqlx::query_scalar(DUE).bind(seconds(now)).bind(limit);
        let ids: Vec<String> = query.fetch_all(self.read()).await.map_err(store_error)?;
        ids.iter().map(|id| tenant_id(id)).collect()
    }

    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        match commit(self, request).await {
            Ok(generation) => Ok(CommitOutcome::Committed { generation }),
            Err(CommitError::StaleRevision) => Ok(CommitOutcome::StaleRevision),
            Err(CommitError::Store(error)) => Err(error),
        }
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
        let row: Option<TenantRow> = sqlx::query_as(tenant_store::SELECT)
            .bind(tenant.as_str())
            .fetch_optional(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        let clients = clients.fetch_all(self.counted(&mut *snapshot)).await.map_err(store_error)?;
        row.state(clients.iter().map(ClientRow::state).collect::<Result<_, _>>()?).map(Some)
    }
}
