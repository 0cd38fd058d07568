//! When the keys of a tenant are due, and what their life cycle depends on.

use administration::TenantKeys;
use keys::KeyRecords;
use tenancy::StoreError;

use super::TenantRow;
use crate::column::{lifetime, timestamp};

row! {
#[derive(Debug)]
pub(crate) struct ScheduleRow {
    due_at: Option<i64>,
    earlier_jwks_age: Option<i64>,
    earlier_jwks_until: Option<i64>,
    longest_of_clients: Option<i64>,
}
}

/// The longest lifetime of a token is the tenant's or that of one of its live clients.
pub(crate) fn tenant_keys(
    row: &TenantRow,
    schedule: &ScheduleRow,
    records: KeyRecords,
) -> Result<TenantKeys, StoreError> {
    let state = row.state(Vec::new())?;
    let of_tenant = state.tenant.access_token.lifetime;
    let of_clients = schedule.longest_of_clients.map(lifetime);
    let previous_jwks =
        schedule.earlier_jwks_age.map(lifetime).zip(schedule.earlier_jwks_until.map(timestamp));
    Ok(TenantKeys {
        longest_token: of_clients.map_or(of_tenant, |of_clients| of_clients.max(of_tenant)),
        tenant: state.tenant,
        lifecycle: state.lifecycle,
        revision: state.revision,
        previous_tokens_until: state.previous_tokens_until,
        previous_jwks,
        due_at: schedule.due_at.map(timestamp),
        records,
    })
}
