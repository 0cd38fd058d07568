//! From where secrets are used. Read in the tenant; written as the role that works across tenants, because a batch holds the uses of
//! many tenants, and so that the role under which requests read needs no right to write them.

use administration::rows::{latest_usage, secret_usage_rows};
use administration::{KEPT_ADDRESSES, SecretUsage};
use registry::{ClientId, SecretId};
use sqlx::FromRow;
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::column::{client_id, tenant_id, timestamp};
use crate::postgres::commit::LOCK;
use crate::postgres::error::store_error;
use crate::postgres::read::in_tenant;

const SELECT: &str = in_tenant!(
    "SELECT u.* FROM secret_uses u
      WHERE u.tenant_id = entered.tenant_id AND u.client_id = $2
      ORDER BY u.secret_id, u.last_used_at DESC, u.address"
);

/// A secret that is gone is passed over, and nothing becomes older than it is.
const RECORD: &str = "
    INSERT INTO secret_uses AS known (tenant_id, client_id, secret_id, address, last_used_at)
    SELECT tenant_id, client_id, secret_id, address, last_used_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, address text, last_used_at bigint)
           JOIN client_secrets s USING (tenant_id, client_id, secret_id)
    ON CONFLICT (tenant_id, client_id, secret_id, address) DO UPDATE
       SET last_used_at = GREATEST(known.last_used_at, excluded.last_used_at)";

const FORGET: &str = "
    DELETE FROM secret_uses u
     USING (SELECT tenant_id, client_id, secret_id, address,
                   row_number() OVER (PARTITION BY tenant_id, client_id, secret_id
                                      ORDER BY last_used_at DESC, address) AS place
              FROM secret_uses
             WHERE (tenant_id, client_id, secret_id) IN (
                       SELECT tenant_id, client_id, secret_id
                         FROM json_to_recordset($1::json) AS given (
                                  tenant_id text, client_id text, secret_id text))) AS placed
     WHERE placed.place > $2
       AND u.tenant_id = placed.tenant_id AND u.client_id = placed.client_id
       AND u.secret_id = placed.secret_id AND u.address = placed.address";

#[derive(FromRow)]
struct UsageRow {
    tenant_id: String,
    client_id: String,
    secret_id: String,
    address: String,
    last_used_at: i64,
}

pub(crate) async fn of_client(
    database: &PostgresDatabase,
    tenant: &TenantId,
    client: &ClientId,
) -> Result<Vec<SecretUsage>, StoreError> {
    let query = sqlx::query_as(SELECT).bind(tenant.as_str()).bind(client.as_str());
    let rows: Vec<UsageRow> = database.query_in_tenant(query).await?;
    rows.into_iter().map(SecretUsage::try_from).collect()
}

/// Between two commits: none destroys a secret while a use of it is written.
pub(crate) async fn record(database: &PostgresDatabase, usage: &[SecretUsage]) -> Result<(), StoreError> {
    if usage.is_empty() {
        return Ok(());
    }
    let usage = latest_usage(usage, KEPT_ADDRESSES);
    let rows = serde_json::to_string(&secret_usage_rows(&usage)).map_err(StoreError::fault)?;
    let kept = i64::try_from(KEPT_ADDRESSES).unwrap_or(i64::MAX);
    let written = async {
        let mut transaction = database.begin().await?;
        transaction.execute(sqlx::query(LOCK)).await?;
        transaction.execute(sqlx::query(RECORD).bind(&rows)).await?;
        transaction.execute(sqlx::query(FORGET).bind(&rows).bind(kept)).await?;
        transaction.commit().await
    };
    written.await.map_err(store_error)
}

impl TryFrom<UsageRow> for SecretUsage {
    type Error = StoreError;

    fn try_from(row: UsageRow) -> Result<Self, Self::Error> {
        Ok(Self {
            tenant: tenant_id(&row.tenant_id)?,
            client: client_id(&row.client_id)?,
            secret: SecretId::new(&row.secret_id),
            address: row.address,
            at: timestamp(row.last_used_at),
        })
    }
}
