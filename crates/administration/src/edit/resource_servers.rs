//! A tenant's resource servers, which are rows of their own: which rows change if the list changes.

use tenancy::Tenant;

use crate::kinds::change::{ChangeKind, RowChange};
use crate::kinds::{Change, TenantState};

/// The changes that turn the rows into those of `after`. A resource server that is no longer listed is
/// retired and kept, with its name. It becomes active again when it is listed again.
pub(super) fn changes(state: Option<&TenantState>, after: &Tenant) -> Vec<Change> {
    let rows = state.map(|state| state.resource_servers.as_slice()).unwrap_or_default();
    let named = after.resource_servers.iter().filter_map(|server| {
        let row = rows.iter().find(|row| row.resource_server.audience == server.audience);
        RowChange::between(row.map(|row| (&row.resource_server, &row.lifecycle)), server.clone())
    });
    let left = rows.iter().filter(|row| row.lifecycle.is_live());
    let left = left.filter(|row| after.resource_server(&row.resource_server.audience).is_none());
    let left = left.map(|row| &row.resource_server);
    let retired = left.map(|server| RowChange::new(ChangeKind::Retired, Some(server), server.clone()));
    named.chain(retired).map(|change| Change::ResourceServer(after.id.clone(), change)).collect()
}
