//! The clients of one tenant against their declarations.

use std::collections::{HashMap, HashSet};

use registry::ClientId;

use super::{CompareContext, row, secrets};
use crate::{
    Change, ClientState, ConflictKind, DeclaredTenant, Plan, Subject, TenantState, limits, new_names,
};

pub(super) fn compare_all(
    context: CompareContext<'_>,
    plan: &mut Plan,
    declared: &DeclaredTenant,
    state: Option<&TenantState>,
) {
    let stored: HashMap<&ClientId, &ClientState> =
        state.iter().flat_map(|state| &state.clients).map(|row| (&row.client.id, row)).collect();
    for index in 0..declared.clients.len() {
        compare_one(context, plan, declared, index, &stored);
    }
    check_count(context, plan, declared, state);
    let kept: HashSet<&ClientId> = declared.clients.iter().map(|declared| &declared.client.id).collect();
    let rows = state.iter().flat_map(|state| &state.clients);
    for row in rows.filter(|row| row.lifecycle.is_config_managed() && !kept.contains(&row.client.id)) {
        plan.changes.push(Change::Client(row::retire(&row.client, row.client.clone())));
    }
}

/// Beside the declared ones, those of the API count.
fn check_count(
    context: CompareContext<'_>,
    plan: &mut Plan,
    declared: &DeclaredTenant,
    state: Option<&TenantState>,
) {
    let rows = state.iter().flat_map(|state| &state.clients).map(|row| &row.lifecycle);
    let others = rows.filter(|row| row.is_live() && !row.is_config_managed()).count();
    let before = state.map_or(0, |state| state.client_count);
    let after = (declared.clients.len() + others) as u64;
    let tenant = &declared.tenant;
    if let Some(message) = limits::of_clients(tenant, before, after, context.clients) {
        plan.add_conflict(Subject::Tenant(tenant.id.clone()), ConflictKind::TooManyClients(message));
    }
}

fn compare_one(
    context: CompareContext<'_>,
    plan: &mut Plan,
    declared: &DeclaredTenant,
    index: usize,
    stored: &HashMap<&ClientId, &ClientState>,
) {
    let (tenant, client) = (&declared.tenant.id, &declared.clients[index]);
    let id = &client.client.id;
    let subject = || Subject::Client(tenant.clone(), id.clone());
    if id.as_str().starts_with(ClientId::RESERVED_PREFIX) {
        return plan.add_conflict(subject(), ConflictKind::Reserved);
    }
    let state = stored.get(id).copied();
    let mut after = client.client.clone();
    if let Some(state) = state {
        after.status = state.client.status;
    }
    for error in new_names::of_client(state.map(|state| &state.client), &after) {
        plan.add_conflict(subject(), ConflictKind::Unseen(error));
    }
    match row::compare(state.map(|state| (&state.client, &state.lifecycle)), after) {
        Ok(None) => {}
        Ok(Some(change)) => {
            for error in limits::of_client(change.before.as_deref(), &change.after) {
                plan.add_conflict(subject(), ConflictKind::BeyondLimit(error));
            }
            plan.changes.push(Change::Client(change));
        }
        Err(kind) => return plan.add_conflict(subject(), kind),
    }
    secrets::compare(context, plan, client, index, state);
}
