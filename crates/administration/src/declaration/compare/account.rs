//! Compares the accounts of one tenant with their declarations. Passwords are compared without a slow hash:
//! the row has a keyed digest of a declared password.

use std::collections::{HashMap, HashSet};

use accounts::{Account, AccountId, AccountIdentifier};
use registry::DeclaredPassword;
use secrets::declared_digest;
use values::Secret;

use super::Comparison;
use crate::declaration::plan;
use crate::edit::privilege::gained;
use crate::kinds;
use crate::kinds::Change;
use crate::kinds::change::{PasswordChange, SecretForm};
use crate::kinds::keep_verification;
use crate::kinds::state::ManagedBy;

impl Comparison<'_> {
    pub(super) fn accounts(&mut self) {
        let Self { declared, state, .. } = *self;
        let rows = state.map(|state| state.accounts.as_slice()).unwrap_or_default();
        let stored: HashMap<&AccountId, &kinds::account::State> =
            rows.iter().map(|row| (&row.account.id, row)).collect();
        for index in 0..declared.accounts.len() {
            self.account(index, &stored);
        }
        let kept: HashSet<&AccountId> =
            declared.accounts.iter().map(|declared| &declared.account.id).collect();
        let rows = rows.iter().map(|row| (&row.account, &row.lifecycle));
        self.retire(rows, |account| kept.contains(&account.id), Change::Account);
    }

    fn account(&mut self, index: usize, stored: &HashMap<&AccountId, &kinds::account::State>) {
        let (tenant, declared) = (&self.declared.tenant.id, &self.declared.accounts[index]);
        let subject = plan::Subject::new::<Account>(tenant, &declared.name);
        let state = stored.get(&declared.account.id).copied();
        let mut after = declared.account.clone();
        after.valid_from = self.context.now;
        for held in after.identifiers.iter_mut().filter(|held| held.verified_at.is_some()) {
            held.verified_at = Some(self.context.now);
        }
        if let Some(state) = state {
            keep_verification(&state.account, &mut after);
            after.status = state.account.status;
        }
        if let Some(kind) = stored.values().find_map(|row| taken(&after, row)) {
            return self.plan.add_conflict(subject, kind);
        }
        let before = state.map(|state| (&state.account, &state.lifecycle));
        let is_granted = before.is_some_and(|(before, _)| {
            gained(Some(&before.permissions), &after.permissions).next().is_some()
        });
        if self.row(subject, before, after, Change::Account) {
            let has_new_password = self.password(index, state);
            // The operator who grants the permission here declares the password, too, so the declared
            // password stays.
            if is_granted && !has_new_password {
                let account = self.declared.accounts[index].account.id.clone();
                self.plan.changes.push(Change::Sessions(tenant.clone(), account, None));
            }
        }
    }

    /// Returns whether the password changes. If it does, the sessions end.
    fn password(&mut self, index: usize, state: Option<&kinds::account::State>) -> bool {
        let (tenant, declared) = (&self.declared.tenant.id, &self.declared.accounts[index]);
        let id = &declared.account.id;
        let digest = |text: &Secret| declared_digest(self.context.pepper, tenant, id.as_str(), text);
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
            self.plan.passwords.push(plan::PlannedPassword {
                tenant: tenant.clone(),
                account: index,
                digest,
            });
            self.plan.changes.push(Change::AccountPassword(tenant.clone(), id.clone(), change));
        }
        !is_as_declared
    }
}

/// Returns a conflict if another account has one of the names. An account of the files releases its names if
/// the files say so. An account of the API keeps its names.
fn taken(after: &Account, row: &kinds::account::State) -> Option<plan::ConflictKind> {
    if row.account.id == after.id || row.lifecycle.managed_by == ManagedBy::Config {
        return None;
    }
    let has = |held: &&AccountIdentifier| {
        row.account.identifiers.iter().any(|of_row| of_row.identifier == held.identifier)
    };
    let identifier = after.identifiers.iter().find(has).map(|held| held.identifier.kind());
    identifier.map(|what| plan::ConflictKind::IdentifierTaken { what, owner: row.account.id.clone() })
}
