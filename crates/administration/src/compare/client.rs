//! The clients of one tenant against their declarations.

use std::collections::{HashMap, HashSet};

use registry::ClientId;

use super::{Context, Draft, row, secrets};
use crate::{Change, ClientState, Conflict, DeclaredTenant, Subject, TenantState};

pub(super) fn compare_all(
    context: Context<'_>,
    draft: &mut Draft,
    declared: &DeclaredTenant,
    state: Option<&TenantState>,
) {
    let stored: HashMap<&ClientId, &ClientState> =
        state.iter().flat_map(|state| &state.clients).map(|row| (&row.client.id, row)).collect();
    for index in 0..declared.clients.len() {
        compare_one(context, draft, declared, index, &stored);
    }
    let kept: HashSet<&ClientId> = declared.clients.iter().map(|declared| &declared.client.id).collect();
    let rows = state.iter().flat_map(|state| &state.clients);
    for row in rows.filter(|row| row.standing.is_declared() && !kept.contains(&row.client.id)) {
        draft.changes.push(Change::Client(row::retire(&row.client, row.client.clone())));
    }
}

fn compare_one(
    context: Context<'_>,
    draft: &mut Draft,
    declared: &DeclaredTenant,
    index: usize,
    stored: &HashMap<&ClientId, &ClientState>,
) {
    let (tenant, client) = (&declared.tenant.id, &declared.clients[index]);
    let id = &client.client.id;
    let subject = || Subject::Client(tenant.clone(), id.clone());
    if id.as_str().starts_with(ClientId::RESERVED_PREFIX) {
        return draft.conflicts.push(Conflict::Reserved(subject()));
    }
    let state = stored.get(id).copied();
    let mut after = client.client.clone();
    if let Some(state) = state {
        after.status = state.client.status;
    }
    match row::compare(subject, state.map(|state| (&state.client, &state.standing)), after) {
        Ok(change) => draft.changes.extend(change.map(Change::Client)),
        Err(conflict) => return draft.conflicts.push(conflict),
    }
    secrets::compare(context, draft, client, index, state);
}
