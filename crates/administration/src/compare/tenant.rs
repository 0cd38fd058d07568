//! One tenant against its declaration: its own row, its first key and its resource servers; its clients one by one.

use tenancy::{Tenant, TenantStatus};

use super::{CompareContext, account, client, names, row};
use crate::state::longest_lifetime;
use crate::{
    Change, ConflictKind, DeclaredTenant, Fingerprint, FirstKey, Plan, RowLifecycle, Subject, TenantMetadata,
    TenantState, limits, new_names, previous_jwks, previous_typs,
};

pub(super) fn compare(
    context: CompareContext<'_>,
    plan: &mut Plan,
    declared: &DeclaredTenant,
    fingerprint: Fingerprint,
    state: Option<&TenantState>,
) {
    let id = &declared.tenant.id;
    names::check_client_ids(plan, declared, state);
    let subject = || Subject::Tenant(id.clone());
    for error in new_names::of_tenant(state.map(|state| &state.tenant), &declared.tenant) {
        plan.add_conflict(subject(), ConflictKind::Unseen(error));
    }
    let before = state.map(|state| (&state.tenant, &state.lifecycle));
    match row::compare(before, tenant_after(context, &declared.tenant, state)) {
        Ok(change) => plan.changes.extend(change.map(Change::Tenant)),
        // The rows below it belong to the same interface.
        Err(kind) => return plan.add_conflict(subject(), kind),
    }
    for error in limits::of_tenant(state.map(|state| &state.tenant), &declared.tenant) {
        plan.add_conflict(subject(), ConflictKind::BeyondLimit(error));
    }
    match first_key(declared, state) {
        Ok(key) => plan.changes.extend(key.map(|key| Change::FirstKey(id.clone(), key))),
        Err(kind) => plan.add_conflict(subject(), kind),
    }
    compare_resource_servers(plan, declared, state);
    client::compare_all(context, plan, declared, state);
    account::compare_all(context, plan, declared, state);
    let (now, l1_lifetime) = (context.now, context.l1_lifetime);
    let shortened = state.filter(|state| longest_lifetime_after(declared, state) < state.longest_lifetime());
    let slower_jwks = |state: &TenantState| {
        previous_jwks::after_change(&state.tenant.signing, &declared.tenant.signing, now, l1_lifetime)
    };
    plan.tenant_metadata.push(TenantMetadata {
        tenant: id.clone(),
        fingerprint: Some(fingerprint),
        previous_tokens_until: shortened.map(|state| state.tokens_until(now, l1_lifetime)),
        previous_jwks: state.and_then(slower_jwks),
    });
}

pub(super) fn retire(context: CompareContext<'_>, plan: &mut Plan, state: &TenantState) {
    let mut after = state.tenant.clone();
    if state.tenant.is_active() {
        let keys_published_until = state.tokens_until(context.now, context.l1_lifetime);
        after.status = TenantStatus::Suspended { keys_published_until };
    }
    plan.changes.push(Change::Tenant(row::retire(&state.tenant, after)));
    let tenant = state.tenant.id.clone();
    plan.tenant_metadata.push(TenantMetadata {
        tenant,
        fingerprint: None,
        previous_tokens_until: None,
        previous_jwks: None,
    });
}

/// The declared fields, with what only the store knows.
fn tenant_after(context: CompareContext<'_>, declared: &Tenant, state: Option<&TenantState>) -> Tenant {
    let mut after = declared.clone();
    let Some(state) = state else { return after };
    // Declaring it again undoes what reconciling did, not what another interface did.
    if state.lifecycle.suspended_at.is_some() || state.lifecycle.deletion_due_at.is_some() {
        after.status = state.tenant.status;
    }
    after.access_token.previous_typs =
        previous_typs::after_change(state, &declared.access_token.typ, context.now, context.l1_lifetime);
    after
}

/// A key is imported only where there never was one; after that the line in the file is only compared.
fn first_key(
    declared: &DeclaredTenant,
    state: Option<&TenantState>,
) -> Result<Option<FirstKey>, ConflictKind> {
    let Some(key) = &declared.first_key else { return Ok(None) };
    match state.and_then(|state| state.first_key_thumbprint.as_ref()) {
        Some(recorded) if *recorded == key.thumbprint => Ok(None),
        Some(_) => Err(ConflictKind::FirstKeyDiffers),
        None if state.is_some_and(|state| state.has_had_keys) => Err(ConflictKind::FirstKeyTooLate),
        None => Ok(Some(FirstKey { algorithm: key.algorithm, thumbprint: key.thumbprint.clone() })),
    }
}

fn compare_resource_servers(plan: &mut Plan, declared: &DeclaredTenant, state: Option<&TenantState>) {
    let tenant = &declared.tenant.id;
    let stored = state.map(|state| state.resource_servers.as_slice()).unwrap_or_default();
    for server in &declared.tenant.resource_servers {
        let before = stored.iter().find(|row| row.resource_server.audience == server.audience);
        let before: Option<(_, &RowLifecycle)> = before.map(|row| (&row.resource_server, &row.lifecycle));
        match row::compare(before, server.clone()) {
            Ok(change) => {
                plan.changes.extend(change.map(|row| Change::ResourceServer(tenant.clone(), row)));
            }
            Err(kind) => {
                plan.add_conflict(Subject::ResourceServer(tenant.clone(), server.audience.clone()), kind);
            }
        }
    }
    for row in stored.iter().filter(|row| row.lifecycle.is_config_managed()) {
        if declared.tenant.resource_server(&row.resource_server.audience).is_none() {
            let change = row::retire(&row.resource_server, row.resource_server.clone());
            plan.changes.push(Change::ResourceServer(tenant.clone(), change));
        }
    }
}

fn longest_lifetime_after(declared: &DeclaredTenant, state: &TenantState) -> protocol::Lifetime {
    let of_others =
        state.clients.iter().filter(|row| row.lifecycle.is_live() && !row.lifecycle.is_config_managed());
    let of_declared = declared.clients.iter().map(|declared| &declared.client);
    longest_lifetime(&declared.tenant, of_declared.chain(of_others.map(|row| &row.client)))
}
