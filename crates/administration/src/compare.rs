//! Compares a declaration with the store. Tenants with an unchanged fingerprint are not even loaded. Each
//! other tenant is compared row by row.

mod account;
mod classify;
mod client;
mod drift;
mod effects;
mod first_keys;
mod names;
mod row;
mod secrets;
mod stored_secrets;
mod tenant;

use std::collections::{BTreeMap, BTreeSet};

use ::secrets::Pepper;
use tenancy::{Issuer, TenantId};
use values::{Lifetime, Timestamp};

use crate::{Conflicts, Declaration, DeclaredTenant, Plan, TenantState};

pub use classify::unread_secrets;
pub(crate) use classify::{Classification, Task};
pub(crate) use drift::left_alone;
pub use drift::{Deviation, Drift};
pub use first_keys::check_declared as check_declared_first_keys;

/// The stored rows of the tenants that are compared.
#[derive(Debug, Default)]
pub(crate) struct CurrentRows {
    pub(crate) states: BTreeMap<TenantId, TenantState>,
    pub(crate) issuer_owners: Vec<(Issuer, TenantId)>,
    /// The tenants that have the thumbprints of declared first keys.
    pub(crate) key_owners: Vec<(String, TenantId)>,
}

/// The facts that a comparison needs beside the declaration and the store.
#[derive(Clone, Copy)]
pub(crate) struct CompareContext<'a> {
    pub(crate) pepper: &'a Pepper,
    pub(crate) now: Timestamp,
    /// How long a replica may use rows from its own memory.
    pub(crate) l1_lifetime: Lifetime,
    /// How many clients a tenant may have.
    pub(crate) clients: u64,
    /// Whether previous values end at once, whatever `previous_for` says.
    pub(crate) ends_previous: bool,
}

/// A declared tenant, its stored rows, and the plan that gets the differences.
struct Comparison<'a> {
    context: CompareContext<'a>,
    declared: &'a DeclaredTenant,
    state: Option<&'a TenantState>,
    /// Whether the store had nothing of any file. The file may be older than the store.
    is_first: bool,
    plan: &'a mut Plan,
}

impl Comparison<'_> {
    /// Two spellings of one resource in a file from before serve as they are written; `check` warns of them.
    fn new_spellings<T>(&self, find: impl FnOnce() -> Vec<T>) -> Vec<T> {
        if self.is_first { Vec::new() } else { find() }
    }

    /// The rows of the tenant, kind by kind.
    fn rows(&mut self) {
        self.resource_servers();
        self.clients();
        self.accounts();
    }
}

/// The changes that would make the store agree with the declaration. A tenant with a conflict is left out and
/// stays unchanged.
///
/// # Errors
/// [`Conflicts`] between two tenants of the declaration.
pub(crate) fn compare(
    context: CompareContext<'_>,
    declaration: &Declaration,
    classification: Classification<'_>,
    current: CurrentRows,
) -> Result<Plan, Conflicts> {
    let mut plan = Plan { conflicts: classification.conflicts, ..Plan::default() };
    let (mut new_issuers, is_first) = (Vec::new(), classification.is_first);
    for task in classification.tasks {
        match task {
            Task::Compare { declared, fingerprint } => {
                let state = current.states.get(&declared.tenant.id);
                if state.is_none_or(|state| state.tenant.issuer != declared.tenant.issuer) {
                    new_issuers.push(&declared.tenant);
                }
                Comparison { context, declared, state, is_first, plan: &mut plan }.tenant(fingerprint);
                plan.effects.extend(effects::of_declared(declared, state));
            }
            Task::Retire(id) => {
                if let Some(state) = current.states.get(&id) {
                    tenant::retire(context, &mut plan, state);
                    plan.effects.extend(effects::of_retired(state));
                }
            }
        }
    }
    let planned_keys: Vec<_> = first_keys::planned(&plan.changes).collect();
    first_keys::check_planned(planned_keys.iter().copied())?;
    first_keys::check_stored(&mut plan.conflicts, &planned_keys, &current.key_owners);
    names::check_new_issuers(&mut plan.conflicts, declaration, &new_issuers, &current.issuer_owners);
    names::check_stored_issuers(&mut plan.conflicts, declaration, &current.issuer_owners);
    plan.conflicts.sort_by(|one, other| one.tenant().cmp(other.tenant()));
    let left_out: BTreeSet<TenantId> = plan.left_out().into_iter().collect();
    let is_kept = |tenant: &TenantId| !left_out.contains(tenant);
    plan.changes.retain(|change| is_kept(change.tenant()));
    plan.effects.retain(|effect| is_kept(&effect.tenant));
    plan.tenant_metadata.retain(|metadata| is_kept(&metadata.tenant));
    plan.secrets.retain(|secret| is_kept(&secret.tenant));
    plan.passwords.retain(|password| is_kept(&password.tenant));
    plan.before = current.states.into_values().filter(|state| is_kept(&state.tenant.id)).collect();
    Ok(plan)
}

/// The changes for a store that is empty or does not exist yet. Any pepper will do, because no row is
/// recognised by it. `clients` is how many of them a tenant may have.
///
/// # Errors
/// [`Conflicts`] between two tenants of the declaration.
pub fn initial_plan(
    pepper: &Pepper,
    declaration: &Declaration,
    clients: u64,
    now: Timestamp,
) -> Result<Plan, Conflicts> {
    let classification = Classification::new(pepper, declaration, Vec::new(), false);
    // Nothing was served before, so no replica has old rows in memory.
    let l1_lifetime = Lifetime::from_seconds(0);
    let context = CompareContext { pepper, now, l1_lifetime, clients, ends_previous: false };
    compare(context, declaration, classification, CurrentRows::default())
}

#[cfg(test)]
mod tests;
