//! When a tenant's keys are due, and which process handles them.

use serde_json::{Value, json};
use tenancy::TenantId;
use values::Timestamp;

use crate::column::ColumnValue;

/// Reads across tenants on purpose: one process handles the keys of all tenants. A suspended or retired
/// tenant's keys are due like others; a deleted tenant has no schedule.
pub(crate) const DUE: &str = "
    SELECT tenant_id FROM key_schedules
     WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, tenant_id LIMIT $2";

/// Across tenants on purpose: the platform's administrators see everything.
pub(crate) const NEXT: &str = "
    SELECT tenant_id, due_at FROM key_schedules
     WHERE due_at IS NOT NULL ORDER BY due_at, tenant_id LIMIT $1";

pub(crate) const NEXT_OF_TENANT: &str = "
    SELECT tenant_id, due_at FROM key_schedules WHERE tenant_id = {tenant} AND due_at IS NOT NULL";

/// One statement waits for another process that is about to take the same lease, and then sees what that
/// process wrote.
pub(crate) const LEASE: &str = "
    INSERT INTO leases AS held (name, holder, until) VALUES ($1, $2, $4)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE held.holder = excluded.holder OR held.until <= $3";

/// A tenant that never had a key has no key to handle.
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

/// A note counts as long as copies from before it may exist. Copies of a deleted tenant's keys do not matter.
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

/// When the keys of a tenant are due.
pub(crate) fn due_row(tenant: &TenantId, due_at: Option<Timestamp>) -> Value {
    json!({ "tenant_id": tenant.as_str(), "due_at": due_at.json() })
}
