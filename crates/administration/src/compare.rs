//! A declaration against what the store holds. First the tenants that are untouched are passed over by their fingerprints, so
//! that they are not even loaded; then each of the others is compared row by row.

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
use protocol::{Lifetime, Timestamp};
use tenancy::{Issuer, TenantId};

use crate::{Conflicts, Declaration, DeclaredTenant, Plan, TenantState};

pub use classify::unread_secrets;
pub(crate) use classify::{Classification, Task};
pub(crate) use drift::left_alone;
pub use drift::{Deviation, Drift};
pub use first_keys::check_declared as check_declared_first_keys;

/// What the store holds of the tenants that are to be compared.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub(crate) states: BTreeMap<TenantId, TenantState>,
    pub(crate) issuer_owners: Vec<(Issuer, TenantId)>,
    /// Of the thumbprints of declared first keys.
    pub(crate) key_owners: Vec<(String, TenantId)>,
}

/// What a comparison needs beside the two sides.
#[derive(Clone, Copy)]
pub(crate) struct CompareContext<'a> {
    pub(crate) pepper: &'a Pepper,
    pub(crate) now: Timestamp,
    /// For how long a replica may go on with rows from its own memory.
    pub(crate) l1_lifetime: Lifetime,
    /// How many clients a tenant may have.
    pub(crate) clients: u64,
    /// Whether values before end at once, whatever `previous_for` says.
    pub(crate) ends_previous: bool,
}

/// A declared tenant beside what the store holds of it, and the plan that gets the difference.
struct Comparison<'a> {
    context: CompareContext<'a>,
    declared: &'a DeclaredTenant,
    state: Option<&'a TenantState>,
    plan: &'a mut Plan,
}

impl Comparison<'_> {
    /// The rows of the tenant, kind by kind.
    fn rows(&mut self) {
        self.resource_servers();
        self.clients();
        self.accounts();
    }
}

/// What would have to change for the store to agree with the declaration. A tenant with a conflict is left out: it stays as it is.
///
/// # Errors
/// [`Conflicts`] between two tenants of the declaration.
pub(crate) fn compare(
    context: CompareContext<'_>,
    declaration: &Declaration,
    classification: Classification<'_>,
    current: Current,
) -> Result<Plan, Conflicts> {
    let mut plan = Plan { conflicts: classification.conflicts, ..Plan::default() };
    for task in classification.tasks {
        match task {
            Task::Compare { declared, fingerprint } => {
                let state = current.states.get(&declared.tenant.id);
                Comparison { context, declared, state, plan: &mut plan }.tenant(fingerprint);
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

/// What would change in a store that holds nothing yet, so also where there is no store yet. Any pepper will do: nothing is
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
    let classification = Classification::of(pepper, declaration, Vec::new(), false);
    // Nothing was served before, so nothing of before is in any memory.
    let l1_lifetime = Lifetime::from_seconds(0);
    let context = CompareContext { pepper, now, l1_lifetime, clients, ends_previous: false };
    compare(context, declaration, classification, Current::default())
}

#[cfg(test)]
mod tests;
