//! A tenant's sealed keys. A new one takes the tenant's next number or none: the counter is compared and moved in one statement.

use std::sync::Arc;

use administration::rows::seconds;
use async_trait::async_trait;
use keys::{KeyRecord, KeyRecords, SigningKeyStore};
use tenancy::{StoreError, TenantId};

use crate::postgres::PostgresDatabase;
use crate::postgres::error::store_error;
use crate::postgres::read::in_tenant;
use crate::postgres::signing_key_row::{CountedKeyRow, records};
use crate::postgres::transaction::CountedTransaction;

/// The counter stands beside each key, and alone where there is none.
macro_rules! select {
    ($condition:literal) => {
        in_tenant!(
            "SELECT t.next_key, k.number, k.algorithm, k.sealed_private_key, k.thumbprint, k.announced_at, k.active_from,
                    k.retiring_from, k.removed_at
               FROM tenants t LEFT JOIN signing_keys k ON k.tenant_id = t.tenant_id ",
            $condition,
            " WHERE t.tenant_id = entered.tenant_id
              ORDER BY k.number"
        )
    };
}

/// All that a tenant ever had, for administration.
pub(crate) const SELECT: &str = select!("");

/// Those that a request may need, of which there are few however often a tenant's keys have followed each other.
const SELECT_WHOLE: &str = select!("AND k.sealed_private_key <> ''");

const TAKE_NUMBER: &str = "
    UPDATE tenants SET next_key = next_key + 1
     WHERE tenant_id = $1 AND next_key = $2 AND deleted_at IS NULL";

const INSERT: &str = "
    INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint,
                              announced_at, active_from, retiring_from, removed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// The scheduler finds the tenant by this when the key begins to sign.
const SCHEDULE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at) VALUES ($1, $2)
    ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at";

const LOG: &str = "INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('keys', $1, $2)";

#[async_trait]
impl SigningKeyStore for PostgresDatabase {
    async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError> {
        let rows: Vec<CountedKeyRow> = self.find(SELECT_WHOLE, &[tenant.as_str()]).await?;
        records(rows).map(Arc::new)
    }

    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError> {
        add(self, tenant, key).await.map_err(store_error)
    }
}

async fn add(database: &PostgresDatabase, tenant: &TenantId, key: &KeyRecord) -> Result<bool, sqlx::Error> {
    let mut transaction = database.begin_in(tenant).await?;
    let number = i64::from(key.id.number());
    let taken = transaction.execute(sqlx::query(TAKE_NUMBER).bind(tenant.as_str()).bind(number)).await?;
    if taken == 0 {
        return Ok(false);
    }
    insert(&mut transaction, tenant, key).await?;
    let due_at = seconds(key.active_from);
    transaction.execute(sqlx::query(SCHEDULE).bind(tenant.as_str()).bind(due_at)).await?;
    // The log last: its lock is shared by all tenants, and who holds it waits for no row.
    transaction.execute(sqlx::query(LOG).bind(tenant.as_str()).bind(seconds(key.announced_at))).await?;
    transaction.commit().await?;
    Ok(true)
}

pub(crate) async fn insert(
    transaction: &mut CountedTransaction<'_>,
    tenant: &TenantId,
    key: &KeyRecord,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(INSERT)
        .bind(tenant.as_str())
        .bind(i64::from(key.id.number()))
        .bind(key.algorithm.as_str())
        .bind(&key.sealed_private_key)
        .bind(&key.thumbprint)
        .bind(seconds(key.announced_at))
        .bind(seconds(key.active_from))
        .bind(key.retiring_from.map(seconds))
        .bind(key.removed_at.map(seconds));
    transaction.execute(query).await.map(drop)
}
