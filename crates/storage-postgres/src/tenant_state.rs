//! One tenant as administration sees it, with all of its clients, with some, or a page of its clients alone. Two reads of one moment.

use administration::{ClientQuery, ClientState, TenantState};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use tenancy::{StoreError, TenantId};

use crate::PostgresDatabase;
use crate::client_row::{self, ClientRow};
use crate::column::is_text;
use crate::error::store_error;
use crate::tenant_row::{self, TenantRow};

type ClientsQuery<'q> = QueryAs<'q, Postgres, ClientRow, PgArguments>;

pub(crate) async fn whole(
    database: &PostgresDatabase,
    tenant: &TenantId,
) -> Result<Option<TenantState>, StoreError> {
    let clients = sqlx::query_as(client_row::SELECT_ALL).bind(tenant.as_str());
    with_clients(database, tenant, clients).await
}

pub(crate) async fn around(
    database: &PostgresDatabase,
    tenant: &TenantId,
    names: &[&str],
) -> Result<Option<TenantState>, StoreError> {
    let names: Vec<&str> = names.iter().copied().filter(|name| is_text(name)).collect();
    let clients = sqlx::query_as(client_row::SELECT_AROUND).bind(tenant.as_str()).bind(names);
    with_clients(database, tenant, clients).await
}

pub(crate) async fn clients(
    database: &PostgresDatabase,
    tenant: &TenantId,
    query: &ClientQuery,
) -> Result<Vec<ClientState>, StoreError> {
    let search = query.search.as_deref().unwrap_or_default().to_ascii_lowercase();
    if !is_text(&search) {
        return Ok(Vec::new());
    }
    let after = query.after.as_ref().map_or("", |client| client.as_str());
    let listing = sqlx::query_as(client_row::SELECT_PAGE)
        .bind(tenant.as_str())
        .bind(search)
        .bind(after)
        .bind(i64::from(query.limit));
    let rows: Vec<ClientRow> = database.within(listing).await?;
    rows.iter().map(ClientRow::state).collect()
}

async fn with_clients(
    database: &PostgresDatabase,
    tenant: &TenantId,
    clients: ClientsQuery<'_>,
) -> Result<Option<TenantState>, StoreError> {
    let mut work = database.snapshot().await.map_err(store_error)?;
    let query = sqlx::query_as(tenant_row::SELECT).bind(tenant.as_str());
    let rows: Vec<TenantRow> = work.all(query).await.map_err(store_error)?;
    let Some(row) = rows.first() else { return Ok(None) };
    let clients = work.all(clients).await.map_err(store_error)?;
    work.commit().await.map_err(store_error)?;
    let clients = clients.iter().map(ClientRow::state).collect::<Result<_, _>>()?;
    row.state(clients).map(Some)
}
