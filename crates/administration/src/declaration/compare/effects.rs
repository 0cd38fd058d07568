//! The effects of a change on clients: which scopes each client could get before, and which it can get after.
//! A client can get no scope if it or its tenant is inactive.

use std::collections::BTreeMap;

use protocol::Scope;
use registry::ClientId;
use tenancy::TenantId;

use crate::declaration::plan::Effect;
use crate::kinds;
use crate::kinds::{DeclaredTenant, TenantState};

type Grantable<'a> = BTreeMap<&'a ClientId, &'a Scope>;

pub(super) fn of_declared(declared: &DeclaredTenant, state: Option<&TenantState>) -> Vec<Effect> {
    let before = state.map(grantable).unwrap_or_default();
    effects(&declared.tenant.id, &before, &grantable_after(declared, state))
}

pub(super) fn of_retired(state: &TenantState) -> Vec<Effect> {
    effects(&state.tenant.id, &grantable(state), &Grantable::new())
}

fn grantable(state: &TenantState) -> Grantable<'_> {
    if !state.lifecycle.serves() || !state.tenant.strategies.oauth2 {
        return Grantable::new();
    }
    state.clients.iter().filter(|row| row.lifecycle.serves()).map(scope_of).collect()
}

/// Declaring a row again undoes its retirement, but never a suspension.
fn grantable_after<'a>(declared: &'a DeclaredTenant, state: Option<&'a TenantState>) -> Grantable<'a> {
    let is_held_back = |state: &TenantState| {
        state.lifecycle.suspended_at.is_some() || state.lifecycle.deletion_due_at.is_some()
    };
    if !declared.tenant.strategies.oauth2 || state.is_some_and(is_held_back) {
        return Grantable::new();
    }
    let rows = state.map(|state| state.clients.as_slice()).unwrap_or_default();
    let others =
        rows.iter().filter(|row| row.lifecycle.serves() && !row.lifecycle.is_config_managed()).map(scope_of);
    let mut after: Grantable<'a> = others.collect();
    after.extend(declared.clients.iter().map(|declared| (&declared.client.id, &declared.client.scope)));
    for row in rows.iter().filter(|row| row.lifecycle.suspended_at.is_some()) {
        after.remove(&row.client.id);
    }
    after
}

fn scope_of(row: &kinds::client::State) -> (&ClientId, &Scope) {
    (&row.client.id, &row.client.scope)
}

fn effects(tenant: &TenantId, before: &Grantable<'_>, after: &Grantable<'_>) -> Vec<Effect> {
    let mut clients: Vec<&ClientId> = before.keys().chain(after.keys()).copied().collect();
    clients.sort_unstable();
    clients.dedup();
    let of_one = |client: &ClientId| {
        let (old, new) = (before.get(client).copied(), after.get(client).copied());
        let (gains, loses) = (only(new, old), only(old, new));
        (!gains.is_empty() || !loses.is_empty()).then(|| Effect {
            tenant: tenant.clone(),
            client: client.clone(),
            gains,
            loses,
        })
    };
    clients.into_iter().filter_map(of_one).collect()
}

fn only(these: Option<&Scope>, those: Option<&Scope>) -> Scope {
    let is_there = |token: &_| those.is_some_and(|those| those.contains(token));
    these.into_iter().flat_map(Scope::iter).filter(|token| !is_there(*token)).cloned().collect()
}
