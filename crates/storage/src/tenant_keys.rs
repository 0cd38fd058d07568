//! What the life of a tenant's keys depends on, and which tenants are due.

use administration::{KeySchedule, TenantKeys, TenantState};
use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

use crate::column::ColumnValue;
use crate::database::Database;
use crate::error::Error;
use crate::key_schedules::{DUE, LEASE, NEXT, NEXT_OF_TENANT};
use crate::row::{DatabaseRow, FromRow};
use crate::rows::longest_token;
use crate::signing_keys;
use crate::signing_keys::key_records;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

/// The tenant with its schedule.
pub(crate) const SELECT: &str = concat!(
    "SELECT {columns(t)}, s.due_at, s.earlier_jwks_age, s.earlier_jwks_until, ",
    longest_token!(),
    " AS longest_token
       FROM tenants t LEFT JOIN key_schedules s ON s.tenant_id = t.tenant_id
      WHERE t.tenant_id = {tenant}"
);

/// The facts that the life of a tenant's keys depends on, beside the tenant.
struct ScheduleFacts {
    due_at: Option<Timestamp>,
    previous_age: Option<Lifetime>,
    previous_until: Option<Timestamp>,
    longest_token: Lifetime,
}

impl FromRow for (TenantState, ScheduleFacts) {
    fn selection(table: &str) -> String {
        TenantState::selection(table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let schedule = ScheduleFacts {
            due_at: ColumnValue::read(row, "due_at")?,
            previous_age: ColumnValue::read(row, "earlier_jwks_age")?,
            previous_until: ColumnValue::read(row, "earlier_jwks_until")?,
            longest_token: ColumnValue::read(row, "longest_token")?,
        };
        Ok((TenantState::from_row(row)?, schedule))
    }
}

#[async_trait]
impl KeySchedule for Database {
    /// Reads the keys as of one moment.
    async fn load_keys(&self, tenant: &TenantId) -> Stored<Option<TenantKeys>> {
        Ok(load(self, tenant).await?)
    }

    /// The longest due first.
    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Stored<Vec<TenantId>> {
        Ok(self.read(Statement::from_text(DUE).bind(now).bind(limit)).await?)
    }

    async fn next_key_steps(
        &self,
        tenant: Option<&TenantId>,
        limit: u32,
    ) -> Stored<Vec<(TenantId, Timestamp)>> {
        let statement = match tenant {
            Some(tenant) => Statement::from_text(NEXT_OF_TENANT).bind(tenant),
            None => Statement::from_text(NEXT).bind(limit),
        };
        Ok(self.read(statement).await?)
    }

    async fn try_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Stored<bool> {
        let lease = Statement::from_text(LEASE).bind(name).bind(holder).bind(now).bind(until);
        Ok(self.write(lease).await? > 0)
    }
}

async fn load(database: &Database, tenant: &TenantId) -> Result<Option<TenantKeys>, Error> {
    let of_tenant = |text| Statement::from_text(text).bind(tenant);
    let mut transaction = database.begin(TransactionPurpose::Reads(Some(tenant))).await?;
    let found: Option<(TenantState, ScheduleFacts)> = transaction.first(of_tenant(SELECT)).await?;
    let Some((state, schedule)) = found else { return Ok(None) };
    let keys = transaction.all(of_tenant(signing_keys::SELECT)).await?;
    transaction.commit().await?;
    let ScheduleFacts { due_at, previous_age, previous_until, longest_token } = schedule;
    Ok(Some(TenantKeys {
        tenant: state.tenant,
        lifecycle: state.lifecycle,
        revision: state.revision,
        longest_token,
        previous_tokens_until: state.previous_tokens_until,
        previous_jwks: previous_age.zip(previous_until),
        due_at,
        records: key_records(keys),
    }))
}
