//! A tenant's resource servers, which are rows of their own: what a list of them changes in the rows.

use tenancy::{ResourceServer, Tenant};

use crate::{Change, ChangeKind, FieldChange, ResourceServerState, RowChange, TenantState};

/// What makes the rows those of `after`. One that is no longer named is kept, retired: it keeps its name, and comes back with it.
pub(super) fn changes(state: Option<&TenantState>, after: &Tenant) -> Vec<Change> {
    let rows = state.map(|state| state.resource_servers.as_slice()).unwrap_or_default();
    let named = after.resource_servers.iter().filter_map(|server| {
        let row = rows.iter().find(|row| row.resource_server.audience == server.audience);
        named(row, server)
    });
    let left = rows.iter().filter(|row| row.lifecycle.is_live());
    let left = left.filter(|row| after.resource_server(&row.resource_server.audience).is_none());
    let left = left.map(|row| &row.resource_server);
    let retired = left.map(|server| RowChange::of(ChangeKind::Retired, Some(server), server.clone()));
    named.chain(retired).map(|change| Change::ResourceServer(after.id.clone(), change)).collect()
}

fn named(row: Option<&ResourceServerState>, server: &ResourceServer) -> Option<RowChange<ResourceServer>> {
    let before = row.map(|row| &row.resource_server);
    let kind = match row {
        None => ChangeKind::Added,
        Some(row) if row.lifecycle.retired_at.is_some() => ChangeKind::Restored,
        Some(_) if FieldChange::between(before, server).is_empty() => return None,
        Some(_) => ChangeKind::Changed,
    };
    Some(RowChange::of(kind, before, server.clone()))
}
