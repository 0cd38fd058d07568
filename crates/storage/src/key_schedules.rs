//! When a tenant's keys are due, what their life cycle depends on, and which process handles them.

use std::collections::{BTreeMap, BTreeSet};

use administration::{Change, CommitRequest, KeySchedule, TenantKeys, TenantMetadata, TenantState};
use async_trait::async_trait;
use protocol::{Lifetime, Timestamp};
use serde_json::{Value, json};
use tenancy::{Stored, TenantId};

use crate::column::Column;
use crate::commit::CommitWriter;
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::row::{FromRow, Row};
use crate::rows::longest_token;
use crate::signing_keys;
use crate::signing_keys::key_records;
use crate::statement::Statement;

/// The tenant with its schedule.
pub(crate) const SELECT: &str = concat!(
    "SELECT {columns(t)}, s.due_at, s.earlier_jwks_age, s.earlier_jwks_until, ",
    longest_token!(),
    " AS longest_token
       FROM tenants t LEFT JOIN key_schedules s ON s.tenant_id = t.tenant_id
      WHERE t.tenant_id = {tenant}"
);

/// What the life of a tenant's keys depends on, beside the tenant.
struct Schedule {
    due_at: Option<Timestamp>,
    previous_age: Option<Lifetime>,
    previous_until: Option<Timestamp>,
    longest_token: Lifetime,
}

impl FromRow for (TenantState, Schedule) {
    fn selection(table: &str) -> String {
        TenantState::selection(table)
    }

    fn from_row(row: &Row) -> Result<Self, Error> {
        let schedule = Schedule {
            due_at: Column::read(row, "due_at")?,
            previous_age: Column::read(row, "earlier_jwks_age")?,
            previous_until: Column::read(row, "earlier_jwks_until")?,
            longest_token: Column::read(row, "longest_token")?,
        };
        Ok((TenantState::from_row(row)?, schedule))
    }
}

/// Across tenants on purpose: one process handles the keys of all of them. A suspended or retired tenant's keys are due like others; a
/// deleted one has no schedule.
pub(crate) const DUE: &str = "
    SELECT tenant_id FROM key_schedules
     WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, tenant_id LIMIT $2";

/// Across tenants on purpose: the platform's administrators see everything.
pub(crate) const NEXT: &str = "
    SELECT tenant_id, due_at FROM key_schedules
     WHERE due_at IS NOT NULL ORDER BY due_at, tenant_id LIMIT $1";

pub(crate) const NEXT_OF_TENANT: &str = "
    SELECT tenant_id, due_at FROM key_schedules WHERE tenant_id = {tenant} AND due_at IS NOT NULL";

/// One statement, which waits for another that is about to take the same lease, and then sees what that one wrote.
const LEASE: &str = "
    INSERT INTO leases AS held (name, holder, until) VALUES ($1, $2, $4)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE held.holder = excluded.holder OR held.until <= $3";

/// A tenant that never had a key has nothing to handle.
pub(crate) const MAKE_DUE: &str = "
    INSERT INTO key_schedules (tenant_id, due_at)
    SELECT t.tenant_id, $2
      FROM {given} {join} tenants t ON t.tenant_id = given.tenant_id
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
    async fn load_keys(&self, tenant: &TenantId) -> Stored<Option<TenantKeys>> {
        Ok(load(self, tenant).await?)
    }

    /// The longest due first.
    async fn find_due_keys(&self, now: Timestamp, limit: u32) -> Stored<Vec<TenantId>> {
        Ok(self.read(Statement::of(DUE).bind(now).bind(limit)).await?)
    }

    async fn next_key_steps(
        &self,
        tenant: Option<&TenantId>,
        limit: u32,
    ) -> Stored<Vec<(TenantId, Timestamp)>> {
        let statement = match tenant {
            Some(tenant) => Statement::of(NEXT_OF_TENANT).bind(tenant),
            None => Statement::of(NEXT).bind(limit),
        };
        Ok(self.read(statement).await?)
    }

    async fn try_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Stored<bool> {
        let lease = Statement::of(LEASE).bind(name).bind(holder).bind(now).bind(until);
        Ok(self.write(lease).await? > 0)
    }
}

async fn load(database: &Database, tenant: &TenantId) -> Result<Option<TenantKeys>, Error> {
    let of_tenant = |text| Statement::of(text).bind(tenant);
    let mut transaction = database.begin(Purpose::Reads(Some(tenant))).await?;
    let found: Option<(TenantState, Schedule)> = transaction.first(of_tenant(SELECT)).await?;
    let Some((state, schedule)) = found else { return Ok(None) };
    let keys = transaction.all(of_tenant(signing_keys::SELECT)).await?;
    transaction.commit().await?;
    let Schedule { due_at, previous_age, previous_until, longest_token } = schedule;
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

impl CommitWriter<'_> {
    /// The keys of a tenant are due now where what their life cycle depends on has changed, unless the commit says when.
    pub(crate) async fn key_schedules(&mut self) -> Result<(), Error> {
        let CommitRequest { keys, first_keys, changes, .. } = self.request;
        let mut due: BTreeMap<&TenantId, Option<Timestamp>> =
            keys.due.iter().map(|(tenant, due_at)| (tenant, *due_at)).collect();
        due.extend(first_keys.iter().map(|(tenant, key)| (tenant, Some(key.active_from))));
        let concerned = changes
            .iter()
            .filter(|change| matches!(change, Change::Tenant(_) | Change::Client(_) | Change::Key(..)));
        let due_now: BTreeSet<_> =
            concerned.map(Change::tenant).filter(|tenant| !due.contains_key(tenant)).collect();
        self.each(MAKE_DUE, &Vec::from_iter(due_now)).await?;
        let due: Vec<_> = due.into_iter().map(|(tenant, due_at)| due_row(tenant, due_at)).collect();
        self.all(SCHEDULE, &due).await
    }

    /// The key sets that were published until now. Nothing is written for a tenant that is deleted.
    pub(crate) async fn previous_jwks(&mut self) -> Result<(), Error> {
        let row = |noted: &TenantMetadata| {
            let (age, until) = noted.previous_jwks?;
            let (tenant, age, until) = (noted.tenant.as_str(), age.json(), until.json());
            Some(json!({ "tenant_id": tenant, "earlier_jwks_age": age, "earlier_jwks_until": until }))
        };
        let rows: Vec<_> = self.request.tenant_metadata.iter().filter_map(row).collect();
        self.each(NOTE_PREVIOUS_JWKS, &rows).await.map(drop)
    }
}

/// When the keys of a tenant are due.
pub(crate) fn due_row(tenant: &TenantId, due_at: Option<Timestamp>) -> Value {
    json!({ "tenant_id": tenant.as_str(), "due_at": due_at.json() })
}
