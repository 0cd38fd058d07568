//! When a tenant's keys are due, what their life cycle depends on, and which process handles them.

use administration::rows::KeyRows;
use administration::{KeySchedule, TenantKeys};
use async_trait::async_trait;
use protocol::Timestamp;
use serde_json::Value;
use tenancy::{StoreError, TenantId};

use crate::column::tenant_id;
use crate::commit::{CommitError, CommitWriter};
use crate::database::{Database, Purpose};
use crate::error::store_error;
use crate::rows::{CountedKeyRow, ScheduleRow, TenantRow, key_records, tenant_keys};
use crate::statement::Statement;
use crate::tenants::longest_token;
use crate::{signing_keys, tenants};

pub(crate) const SELECT: &str = concat!(
    "SELECT s.due_at, s.earlier_jwks_age, s.earlier_jwks_until, ",
    longest_token!(),
    " AS longest_token
       FROM tenants t LEFT JOIN key_schedules s ON s.tenant_id = t.tenant_id
      WHERE t.tenant_id = {tenant}"
);

/// Across tenants on purpose: one process handles the keys of all of them. A suspended or retired tenant's keys are due like others; a
/// deleted one has no schedule.
pub(crate) const DUE: &str = "
    SELECT tenant_id FROM key_schedules
     WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, tenant_id LIMIT $2";

/// One statement, which waits for another that is about to take the same lease, and then sees what that one wrote.
const LEASE: &str = "
    INSERT INTO leases AS held (name, holder, until) VALUES ($1, $2, $4)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE held.holder = excluded.holder OR held.until <= $3";

/// A tenant that never had a key has nothing to handle.
pub(crate) const MAKE_DUE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at)
    SELECT t.tenant_id, $2
      FROM {given(tenant_id text)} {join} tenants t ON t.tenant_id = given.tenant_id
     WHERE t.next_key > 1 AND t.deleted_at IS NULL
    ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at";

pub(crate) const SCHEDULE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at)
    SELECT tenant_id, due_at FROM {given(tenant_id text, due_at bigint)} WHERE TRUE
    ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at";

/// What is noted already counts as long as copies of then may exist. Copies of a deleted tenant's keys do not matter.
pub(crate) const NOTE_PREVIOUS_JWKS: &str = "
    INSERT INTO key_schedules AS noted (tenant_id, earlier_jwks_age, earlier_jwks_until)
    SELECT t.tenant_id, given.earlier_jwks_age, given.earlier_jwks_until
      FROM {given(tenant_id text, earlier_jwks_age bigint, earlier_jwks_until bigint)}
           {join} tenants t ON t.tenant_id = given.tenant_id
     WHERE t.deleted_at IS NULL
    ON CONFLICT (tenant_id) DO UPDATE
       SET earlier_jwks_age = CASE
               WHEN noted.earlier_jwks_until > $2
               THEN {greatest}(noted.earlier_jwks_age, excluded.earlier_jwks_age)
               ELSE excluded.earlier_jwks_age END,
           earlier_jwks_until = {greatest}(COALESCE(noted.earlier_jwks_until, 0), excluded.earlier_jwks_until)";

#[async_trait]
impl KeySchedule for Database {
    /// As it was at one moment.
    async fn load_keys(&self, tenant: &TenantId) -> Result<Option<TenantKeys>, StoreError> {
        let of_tenant = |text| Statement::of(text).bind(tenant);
        let loaded = async {
            let mut transaction = self.begin(Purpose::Reads).await?;
            let row: Option<TenantRow> = transaction.first(of_tenant(tenants::SELECT)).await?;
            let Some(row) = row else { return Ok(None) };
            let schedule: Option<ScheduleRow> = transaction.first(of_tenant(SELECT)).await?;
            let keys: Vec<CountedKeyRow> = transaction.all(of_tenant(signing_keys::SELECT)).await?;
            transaction.commit().await?;
            Ok(Some((row, schedule.ok_or(sqlx::Error::RowNotFound)?, keys)))
        };
        let Some((row, schedule, keys)) = loaded.await.map_err(store_error)? else { return Ok(None) };
        tenant_keys(&row, &schedule, key_records(keys)?).map(Some)
    }

    /// The longest due first.
    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Result<Vec<TenantId>, StoreError> {
        let rows: Vec<(String,)> = self.read(Statement::of(DUE).bind(now).bind(limit)).await?;
        rows.iter().map(|(id,)| tenant_id(id)).collect()
    }

    async fn try_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let lease = Statement::of(LEASE).bind(name).bind(holder).bind(now).bind(until);
        Ok(self.write(lease).await? > 0)
    }
}

impl CommitWriter<'_> {
    pub(crate) async fn key_schedules(&mut self, keys: &KeyRows) -> Result<(), CommitError> {
        self.each(MAKE_DUE, &keys.due_now).await?;
        self.all(SCHEDULE, &keys.due).await
    }

    pub(crate) async fn previous_jwks(&mut self, rows: &[Value]) -> Result<(), CommitError> {
        self.each(NOTE_PREVIOUS_JWKS, rows).await.map(drop)
    }
}
