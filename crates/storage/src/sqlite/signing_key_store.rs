//! A tenant's sealed keys. A new one takes the tenant's next number or none: the counter is compared and moved in one statement.

use std::sync::Arc;

use administration::rows::seconds;
use async_trait::async_trait;
use keys::{KeyId, KeyRecord, KeyRecords, SigningKeyStore};
use tenancy::{StoreError, TenantId};

use crate::column::key_id;
use crate::rows::SigningKeyRow;
use crate::sqlite::SqliteDatabase;
use crate::sqlite::database::promptly;
use crate::sqlite::error::store_error;

const NEXT: &str = "SELECT next_key FROM tenants WHERE tenant_id = ?1";

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT number, algorithm, sealed_private_key, thumbprint, announced_at, active_from, retiring_from,
                    removed_at
               FROM signing_keys
              WHERE tenant_id = ?1 ",
            $condition,
            " ORDER BY number"
        )
    };
}

/// All that a tenant ever had, for administration.
pub(crate) const SELECT: &str = select!("");

/// Those that a request may need, of which there are few however often a tenant's keys have followed each other.
pub(crate) const SELECT_WHOLE: &str = select!("AND sealed_private_key <> x''");

const TAKE_NUMBER: &str = "
    UPDATE tenants SET next_key = next_key + 1
     WHERE tenant_id = ?1 AND next_key = ?2 AND deleted_at IS NULL";

const INSERT: &str = "
    INSERT INTO signing_keys (tenant_id, number, algorithm, sealed_private_key, thumbprint,
                              announced_at, active_from, retiring_from, removed_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// So that the scheduler finds the tenant.
const SCHEDULE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at) VALUES (?1, ?2)
        ON CONFLICT DO UPDATE SET due_at = excluded.due_at";

const LOG: &str = "INSERT INTO change_log (kind, tenant_id, changed_at) VALUES ('keys', ?1, ?2)";

impl SqliteDatabase {
    async fn read_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError> {
        let mut snapshot = self.snapshot().await.map_err(store_error)?;
        let next: Option<i64> = sqlx::query_scalar(NEXT)
            .bind(tenant.as_str())
            .fetch_optional(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let rows: Vec<SigningKeyRow> = sqlx::query_as(SELECT_WHOLE)
            .bind(tenant.as_str())
            .fetch_all(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let next = next.map_or(Ok(KeyId::numbered(1)), key_id)?;
        let keys = rows.into_iter().map(KeyRecord::try_from).collect::<Result<_, _>>()?;
        Ok(Arc::new(KeyRecords { next, keys }))
    }
}

#[async_trait]
impl SigningKeyStore for SqliteDatabase {
    async fn find_keys(&self, tenant: &TenantId) -> Result<Arc<KeyRecords>, StoreError> {
        promptly(self.read_keys(tenant)).await
    }

    async fn add_key(&self, tenant: &TenantId, key: &KeyRecord) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await.map_err(store_error)?;
        let taken = sqlx::query(TAKE_NUMBER)
            .bind(tenant.as_str())
            .bind(key.id.number())
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        insert(self, &mut transaction, tenant, key).await.map_err(store_error)?;
        sqlx::query(SCHEDULE)
            .bind(tenant.as_str())
            .bind(seconds(key.active_from))
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        sqlx::query(LOG)
            .bind(tenant.as_str())
            .bind(seconds(key.announced_at))
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(true)
    }
}

pub(crate) async fn insert(
    database: &SqliteDatabase,
    connection: &mut sqlx::SqliteConnection,
    tenant: &TenantId,
    key: &KeyRecord,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(INSERT)
        .bind(tenant.as_str())
        .bind(key.id.number())
        .bind(key.algorithm.as_str())
        .bind(&key.sealed_private_key)
        .bind(&key.thumbprint)
        .bind(seconds(key.announced_at))
        .bind(seconds(key.active_from))
        .bind(key.retiring_from.map(seconds))
        .bind(key.removed_at.map(seconds));
    query.execute(database.counted(connection)).await.map(drop)
}
