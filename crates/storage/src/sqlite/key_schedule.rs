//! What the lives of keys depend on, whose keys are due, and which process sees to it.

use administration::rows::seconds;
use administration::{KeySchedule, TenantKeys};
use async_trait::async_trait;
use keys::{KeyRecord, KeyRecords};
use protocol::Timestamp;
use tenancy::{StoreError, TenantId};

use crate::column::tenant_id;
use crate::rows::{ScheduleRow, SigningKeyRow, TenantRow, tenant_keys};
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;
use crate::sqlite::signing_key_store::SELECT;
use crate::sqlite::tenant_store;

pub(crate) const SCHEDULE: &str = "
    SELECT s.due_at, s.earlier_jwks_age, s.earlier_jwks_until,
           (SELECT MAX(c.access_token_lifetime) FROM clients c
             WHERE c.tenant_id = t.tenant_id AND c.access_token_lifetime IS NOT NULL
               AND c.retired_at IS NULL AND c.deleted_at IS NULL) AS longest_of_clients
      FROM tenants t LEFT JOIN key_schedules s ON s.tenant_id = t.tenant_id
     WHERE t.tenant_id = ?1";

/// Across tenants on purpose: the scheduler works for the platform.
pub(crate) const DUE: &str = "
    SELECT s.tenant_id FROM key_schedules s
     WHERE s.due_at IS NOT NULL AND s.due_at <= ?1
       AND EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = s.tenant_id AND t.deleted_at IS NULL)
     ORDER BY s.due_at, s.tenant_id LIMIT ?2";

const LEASE: &str = "
    INSERT INTO leases (name, holder, until) VALUES (?1, ?2, ?4)
        ON CONFLICT DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE leases.holder = excluded.holder OR leases.until <= ?3";

#[async_trait]
impl KeySchedule for SqliteDatabase {
    /// As it was at one moment.
    async fn load_keys(&self, tenant: &TenantId) -> Result<Option<TenantKeys>, StoreError> {
        let mut snapshot = self.snapshot().await.map_err(store_error)?;
        let row: Option<TenantRow> = sqlx::query_as(tenant_store::SELECT)
            .bind(tenant.as_str())
            .fetch_optional(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        let schedule: ScheduleRow = sqlx::query_as(SCHEDULE)
            .bind(tenant.as_str())
            .fetch_one(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let keys: Vec<SigningKeyRow> = sqlx::query_as(SELECT)
            .bind(tenant.as_str())
            .fetch_all(self.counted(&mut *snapshot))
            .await
            .map_err(store_error)?;
        let keys = keys.into_iter().map(KeyRecord::try_from).collect::<Result<_, _>>()?;
        let records = KeyRecords { next: row.next_key()?, keys };
        tenant_keys(&row, &schedule, records).map(Some)
    }

    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        let query = sqlx::query_scalar(DUE).bind(seconds(now)).bind(limit);
        let ids: Vec<String> = query.fetch_all(self.read()).await.map_err(store_error)?;
        ids.iter().map(|id| tenant_id(id)).collect()
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await.map_err(store_error)?;
        let taken = sqlx::query(LEASE)
            .bind(name)
            .bind(holder)
            .bind(seconds(now))
            .bind(seconds(until))
            .execute(self.counted(&mut *transaction))
            .await
            .map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(taken.rows_affected() > 0)
    }
}
