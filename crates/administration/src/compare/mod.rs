//! A declaration against what the store holds. First the tenants that are untouched are passed over by their fingerprints, so
//! that they are not even loaded; then each of the others is compared row by row.

mod client;
mod drift;
mod effects;
mod names;
mod row;
mod secrets;
mod tenant;
mod triage;

use std::collections::BTreeMap;

use protocol::{Lifetime, Timestamp};
use registry::Pepper;
use tenancy::{Issuer, TenantId};

use crate::plan::PlannedSecret;
use crate::{Change, Conflict, Conflicts, Declaration, Effect, Plan, TenantMark, TenantState};

pub(crate) use drift::left_alone;
pub use drift::{Deviation, DeviationKind, Drift};
pub(crate) use triage::{Task, Triage};

/// What the store holds of the tenants that are to be compared.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub(crate) states: BTreeMap<TenantId, TenantState>,
    pub(crate) issuer_owners: Vec<(Issuer, TenantId)>,
}

/// What a comparison needs beside the two sides.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) pepper: &'a Pepper,
    pub(crate) now: Timestamp,
    /// For how long a replica may go on with rows from its own memory.
    pub(crate) l1_lifetime: Lifetime,
}

/// A plan in the making.
#[derive(Debug, Default)]
struct Draft {
    changes: Vec<Change>,
    effects: Vec<Effect>,
    marks: Vec<TenantMark>,
    secrets: Vec<PlannedSecret>,
    conflicts: Vec<Conflict>,
}

/// What would have to change for the store to agree with the declaration.
pub(crate) fn compare(
    context: Context<'_>,
    declaration: &Declaration,
    triage: Triage<'_>,
    current: &Current,
) -> Result<Plan, Conflicts> {
    let mut draft = Draft { conflicts: triage.conflicts, ..Draft::default() };
    names::check_issuers(&mut draft, declaration, &current.issuer_owners);
    for task in triage.tasks {
        match task {
            Task::Compare { declared, fingerprint } => {
                let state = current.states.get(&declared.tenant.id);
                tenant::compare(context, &mut draft, declared, fingerprint, state);
                draft.effects.extend(effects::of_declared(declared, state));
            }
            Task::Retire(id) => {
                if let Some(state) = current.states.get(&id) {
                    tenant::retire(context, &mut draft, state);
                    draft.effects.extend(effects::of_retired(state));
                }
            }
        }
    }
    let rests_on = current.states.iter().map(|(id, state)| (id.clone(), state.revision)).collect();
    let Draft { changes, effects, marks, secrets, conflicts } = draft;
    if conflicts.is_empty() {
        Ok(Plan { changes, effects, rests_on, marks, secrets })
    } else {
        Err(Conflicts(conflicts))
    }
}

/// What would change in a store that holds nothing yet, so also where there is no store yet. Any pepper will do: nothing is
/// recognised by it.
///
/// # Errors
/// [`Conflicts`] within the declaration.
pub fn initial_plan(pepper: &Pepper, declaration: &Declaration, now: Timestamp) -> Result<Plan, Conflicts> {
    let triage = Triage::of(pepper, declaration, Vec::new());
    // Nothing was served before, so nothing of before is in any memory.
    let context = Context { pepper, now, l1_lifetime: Lifetime::from_seconds(0) };
    compare(context, declaration, triage, &Current::default())
}

#[cfg(test)]
mod tests;
