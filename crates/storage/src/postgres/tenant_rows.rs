//! Tenants and their clients as administration sees them. Writing a commit is in `commit`.

use administration::rows::seconds;
use administration::{
    ClientQuery, ClientState, CommitOutcome, CommitRequest, RelatedClients, TenantRows, TenantState,
    TenantSummary,
};
use async_trait::async_trait;
use protocol::Timestamp;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use tenancy::{Issuer, StoreError, TenantId};

use crate::column::{is_text, tenant_id, unreadable};
use crate::postgres::PostgresDatabase;
use crate::postgres::client_store;
use crate::postgres::commit::{CommitError, commit};
use crate::postgres::error::store_error;
use crate::postgres::tenant_store;
use crate::rows::{ClientRow, SummaryRow, TenantRow};

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

type ClientsQuery<'q> = QueryAs<'q, Postgres, ClientRow, PgArguments>;

#[async_trait]
impl TenantRows for PostgresDatabase {
    async fn list_tenant_summaries(&self, declared: &[TenantId]) -> Result<Vec<TenantSummary>, StoreError> {
        let ids: Vec<&str> = declared.iter().map(TenantId::as_str).collect();
        let rows: Vec<SummaryRow> =
            self.query_across_tenants(sqlx::query_as(TENANT_SUMMARIES).bind(ids)).await?;
        rows.into_iter().map(TenantSummary::try_from).collect()
    }

    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let clients = sqlx::query_as(client_store::SELECT_ALL).bind(tenant.as_str());
        with_clients(self, tenant, clients).await
    }

    async fn load_with_related_clients(
        &self,
        tenant: &TenantId,
        related: RelatedClients<'_>,
    ) -> Result<Option<TenantState>, StoreError> {
        let texts =
            |names: &[&str]| names.iter().copied().filter(|name| is_text(name)).map(str::to_owned).collect();
        let (ids, listed): (Vec<String>, Vec<String>) = (texts(related.ids), texts(related.listed));
        let clients =
            sqlx::query_as(client_store::SELECT_RELATED).bind(tenant.as_str()).bind(ids).bind(listed);
        with_clients(self, tenant, clients).await
    }

    async fn count_clients(&self, tenant: &TenantId, at_most: u64) -> Result<u64, StoreError> {
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        let query = sqlx::query_as(client_store::COUNT).bind(tenant.as_str()).bind(at_most);
        let rows: Vec<(i64,)> = self.query_in_tenant(query).await?;
        Ok(rows.first().map_or(0, |(count,)| count.unsigned_abs()))
    }

    async fn list_clients(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Result<Vec<ClientState>, StoreError> {
        let search = query.search.as_deref().unwrap_or_default().to_ascii_lowercase();
        if !is_text(&search) {
            return Ok(Vec::new());
        }
        let after = query.after.as_ref().map_or("", |client| client.as_str());
        let listing = sqlx::query_as(client_store::SELECT_PAGE)
            .bind(tenant.as_str())
            .bind(search)
            .bind(after)
            .bind(i64::from(query.limit));
        let rows: Vec<ClientRow> = self.query_in_tenant(listing).await?;
        rows.iter().map(ClientRow::state).collect()
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

    async fn find_due_deletions(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        let query = sqlx::query_as(DUE_DELETIONS).bind(seconds(now)).bind(i64::from(limit));
        let rows: Vec<(String,)> = self.query_across_tenants(query).await?;
        rows.iter().map(|(id,)| tenant_id(id)).collect()
    }

    async fn commit(&self, request: &CommitRequest) -> Result<CommitOutcome, StoreError> {
        match commit(self, request).await {
            Ok(generation) => Ok(CommitOutcome::Committed { generation }),
            Err(CommitError::StaleRevision) => Ok(CommitOutcome::StaleRevision),
            Err(CommitError::Store(error)) => Err(error),
        }
    }
}

/// Two reads of one moment.
async fn with_clients(
    database: &PostgresDatabase,
    tenant: &TenantId,
    clients: ClientsQuery<'_>,
) -> Result<Option<TenantState>, StoreError> {
    let mut transaction = database.snapshot().await.map_err(store_error)?;
    let query = sqlx::query_as(tenant_store::SELECT).bind(tenant.as_str());
    let rows: Vec<TenantRow> = transaction.all(query).await.map_err(store_error)?;
    let Some(row) = rows.first() else { return Ok(None) };
    let clients = transaction.all(clients).await.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)?;
    let clients = clients.iter().map(ClientRow::state).collect::<Result<_, _>>()?;
    row.state(clients).map(Some)
}
