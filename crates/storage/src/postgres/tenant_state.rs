//! One tenant as administration sees it, with all of its clients, with some, or a page of its clients alone. Two reads of one moment.

use administration::{ClientQuery, ClientState, RelatedClients, TenantState};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::client_row::{self, ClientRow};
use crate::postgres::column::is_text;
use crate::postgres::error::store_error;
use crate::postgres::tenant_row::{self, TenantRow};

type ClientsQuery<'q> = QueryAs<'q, Postgres, ClientRow, PgArguments>;

pub(crate) async fn whole(
    database: &PostgresDatabase,
    tenant: &TenantId,
) -> Result<Option<TenantState>, StoreError> {
    let clients = sqlx::query_as(client_row::SELECT_ALL).bind(tenant.as_str());
    with_clients(database, tenant, clients).await
}

pub(crate) async fn related(
    database: &PostgresDatabase,
    tenant: &TenantId,
    related: RelatedClients<'_>,
) -> Result<Option<TenantState>, StoreError> {
    let texts =
        |names: &[&str]| names.iter().copied().filter(|name| is_text(name)).map(str::to_owned).collect();
    let (ids, listed): (Vec<String>, Vec<String>) = (texts(related.ids), texts(related.listed));
    let clients = sqlx::query_as(client_row::SELECT_RELATED).bind(tenant.as_str()).bind(ids).bind(listed);
    with_clients(database, tenant, clients).await
}

pub(crate) async fn client_count(
    database: &PostgresDatabase,
    tenant: &TenantId,
    at_most: u64,
) -> Result<u64, StoreError> {
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    let query = sqlx::query_as(client_row::COUNT).bind(tenant.as_str()).bind(at_most);
    let rows: Vec<(i64,)> = database.query_in_tenant(query).await?;
    Ok(rows.first().map_or(0, |(count,)| count.unsigned_abs()))
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
    let rows: Vec<ClientRow> = database.query_in_tenant(listing).await?;
    rows.iter().map(ClientRow::state).collect()
}

async fn with_clients(
    database: &PostgresDatabase,
    tenant: &TenantId,
    clients: ClientsQuery<'_>,
) -> Result<Option<TenantState>, StoreError> {
    let mut transaction = database.snapshot().await.map_err(store_error)?;
    let query = sqlx::query_as(tenant_row::SELECT).bind(tenant.as_str());
    let rows: Vec<TenantRow> = transaction.all(query).await.map_err(store_error)?;
    let Some(row) = rows.first() else { return Ok(None) };
    let clients = transaction.all(clients).await.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)?;
    let clients = clients.iter().map(ClientRow::state).collect::<Result<_, _>>()?;
    row.state(clients).map(Some)
}
