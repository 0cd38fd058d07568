//! A tenant's keys as their life cycle sees them, and whose keys are due. Reads of one moment, behind the wall.

use administration::rows::seconds;
use administration::{KeySchedule, TenantKeys};
use async_trait::async_trait;
use protocol::Timestamp;
use tenancy::{StoreError, TenantId};

use crate::column::tenant_id;
use crate::postgres::PostgresDatabase;
use crate::postgres::error::store_error;
use crate::postgres::read::in_tenant;
use crate::postgres::signing_key_row::{self, CountedKeyRow};
use crate::postgres::signing_key_store;
use crate::postgres::tenant_store;
use crate::rows::{ScheduleRow, TenantRow, tenant_keys};

/// With the longest lifetime that a live client has of its own, which an index knows.
const SELECT: &str = in_tenant!(
    "SELECT s.due_at, s.earlier_jwks_age, s.earlier_jwks_until,
            (SELECT MAX(c.access_token_lifetime) FROM clients c
              WHERE c.tenant_id = entered.tenant_id AND c.retired_at IS NULL AND c.deleted_at IS NULL) AS longest_of_clients
       FROM (VALUES (entered.tenant_id)) AS given (tenant_id)
            LEFT JOIN key_schedules s USING (tenant_id)"
);

/// Across tenants on purpose: one process looks after all of them. A suspended or retired tenant's keys are due like others; a deleted
/// one has no schedule.
const DUE: &str = "
    SELECT tenant_id FROM key_schedules WHERE due_at <= $1 ORDER BY due_at, tenant_id LIMIT $2";

/// One statement, which waits for another that is about to take the same lease, and then sees what that one wrote.
const LEASE: &str = "
    INSERT INTO leases AS held (name, holder, until) VALUES ($1, $2, $4)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE held.holder = excluded.holder OR held.until <= $3
    RETURNING held.until";

#[async_trait]
impl KeySchedule for PostgresDatabase {
    async fn load_keys(&self, tenant: &TenantId) -> Result<Option<TenantKeys>, StoreError> {
        let mut transaction = self.snapshot().await.map_err(store_error)?;
        let query = sqlx::query_as(tenant_store::SELECT).bind(tenant.as_str());
        let rows: Vec<TenantRow> = transaction.all(query).await.map_err(store_error)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let query = sqlx::query_as(SELECT).bind(tenant.as_str());
        let mut schedules: Vec<ScheduleRow> = transaction.all(query).await.map_err(store_error)?;
        let query = sqlx::query_as(signing_key_store::SELECT).bind(tenant.as_str());
        let keys: Vec<CountedKeyRow> = transaction.all(query).await.map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        let schedule = schedules.pop().ok_or(sqlx::Error::RowNotFound).map_err(store_error)?;
        tenant_keys(row, &schedule, signing_key_row::records(keys)?).map(Some)
    }

    /// The longest due first.
    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        let query = sqlx::query_as(DUE).bind(seconds(now)).bind(i64::from(limit));
        let rows: Vec<(String,)> = self.query_across_tenants(query).await?;
        rows.iter().map(|(id,)| tenant_id(id)).collect()
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query_as(LEASE).bind(name).bind(holder).bind(seconds(now)).bind(seconds(until));
        let taken: Vec<(i64,)> = self.query_across_tenants(query).await?;
        Ok(!taken.is_empty())
    }
}
