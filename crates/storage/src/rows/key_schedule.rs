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
    longest_token: i64,
}
}

/// A tenant with its schedule and its keys.
pub(crate) fn tenant_keys(
    row: &TenantRow,
    schedule: &ScheduleRow,
    records: KeyRecords,
) -> Result<TenantKeys, StoreError> {
    let state = row.state(Vec::new())?;
    let previous_jwks =
        schedule.earlier_jwks_age.map(lifetime).zip(schedule.earlier_jwks_until.map(timestamp));
    Ok(TenantKeys {
        longest_token: lifetime(schedule.longest_token),
        tenant: state.tenant,
        lifecycle: state.lifecycle,
        revision: state.revision,
        previous_tokens_until: state.previous_tokens_until,
        previous_jwks,
        due_at: schedule.due_at.map(timestamp),
        records,
    })
}
