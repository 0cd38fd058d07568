//! The accounts of one tenant against their declarations, and their passwords without computing a slow hash: a declared one is recognised by
//! the keyed digest in its row.

use std::collections::{HashMap, HashSet};

use accounts::{Account, AccountId};
use protocol::Secret;
use registry::DeclaredPassword;
use secrets::declared_digest;

use super::{CompareContext, row};
use crate::plan::PlannedPassword;
use crate::rules::keep_verification;
use crate::{
    AccountState, Change, ConflictKind, DeclaredTenant, PasswordChange, Plan, SecretForm, Subject,
    TenantState,
};

pub(super) fn compare_all(
    context: CompareContext<'_>,
    plan: &mut Plan,
    declared: &DeclaredTenant,
    state: Option<&TenantState>,
) {
    let stored: HashMap<&AccountId, &AccountState> =
        state.iter().flat_map(|state| &state.accounts).map(|row| (&row.account.id, row)).collect();
    for index in 0..declared.accounts.len() {
        compare_one(context, plan, declared, index, &stored);
    }
    let kept: HashSet<&AccountId> = declared.accounts.iter().map(|declared| &declared.account.id).collect();
    let rows = state.iter().flat_map(|state| &state.accounts);
    for row in rows.filter(|row| row.lifecycle.is_config_managed() && !kept.contains(&row.account.id)) {
        plan.changes.push(Change::Account(row::retire(&row.account, row.account.clone())));
    }
}

fn compare_one(
    context: CompareContext<'_>,
    plan: &mut Plan,
    declared: &DeclaredTenant,
    index: usize,
    stored: &HashMap<&AccountId, &AccountState>,
) {
    let (tenant, account) = (&declared.tenant.id, &declared.accounts[index]);
    let subject = || Subject::Account(tenant.clone(), account.name.clone());
    let state = stored.get(&account.account.id).copied();
    let mut after = account.account.clone();
    after.valid_from = context.now;
    for held in after.identifiers.iter_mut().filter(|held| held.verified_at.is_some()) {
        held.verified_at = Some(context.now);
    }
    if let Some(state) = state {
        keep_verification(&state.account, &mut after);
        after.status = state.account.status;
    }
    if let Some(kind) = stored.values().find_map(|row| taken(&after, row)) {
        return plan.add_conflict(subject(), kind);
    }
    match row::compare(state.map(|state| (&state.account, &state.lifecycle)), after) {
        Ok(change) => plan.changes.extend(change.map(Change::Account)),
        Err(kind) => return plan.add_conflict(subject(), kind),
    }
    compare_password(context, plan, declared, index, state);
}

/// Accounts of files give up their names where the files say so; those of the API keep theirs.
fn taken(after: &Account, row: &AccountState) -> Option<ConflictKind> {
    if row.account.id == after.id || row.lifecycle.managed_by == crate::ManagedBy::Config {
        return None;
    }
    let has = |held: &&accounts::AccountIdentifier| {
        row.account.identifiers.iter().any(|of_row| of_row.identifier == held.identifier)
    };
    let identifier = after.identifiers.iter().find(has).map(|held| held.identifier.kind());
    identifier.map(|what| ConflictKind::IdentifierTaken { what, owner: row.account.id.clone() })
}

fn compare_password(
    context: CompareContext<'_>,
    plan: &mut Plan,
    declared: &DeclaredTenant,
    index: usize,
    state: Option<&AccountState>,
) {
    let (tenant, declared) = (&declared.tenant.id, &declared.accounts[index]);
    let id = &declared.account.id;
    let digest = |text: &Secret| declared_digest(context.pepper, tenant, id.as_str(), text);
    let (digest, change) = match &declared.password {
        Some(DeclaredPassword::Value(value)) => {
            (Some(digest(value)), PasswordChange::Set(SecretForm::Chosen))
        }
        Some(DeclaredPassword::Hash(phc)) => {
            (Some(digest(&Secret::new(phc.clone()))), PasswordChange::Set(SecretForm::Imported))
        }
        None => (None, PasswordChange::Removed),
    };
    let known = state.and_then(|state| state.declared_digest);
    let has_one = state.is_some_and(|state| state.account.password_changed_at.is_some());
    let is_as_declared = known == digest && has_one == digest.is_some();
    if !is_as_declared {
        plan.passwords.push(PlannedPassword { tenant: tenant.clone(), account: index, digest });
        plan.changes.push(Change::AccountPassword(tenant.clone(), id.clone(), change));
    }
}
