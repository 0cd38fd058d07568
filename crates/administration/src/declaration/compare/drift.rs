//! Changes that other interfaces made to rows that the operator's files declare. Applying the files does not
//! undo these changes, so plans do not show them.

use std::collections::HashMap;
use std::fmt;

use registry::{Client, ClientId};
use serde::Serialize;
use values::Timestamp;

use crate::declaration::Declaration;
use crate::declaration::plan::{Plan, Subject};
use crate::kinds;
use crate::kinds::state::{ManagedBy, SecretState};

/// The difference between the store and a declaration. Programs get it as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The changes that applying would make.
    pub plan: Plan,
    /// The changes that applying would not undo.
    pub left_alone: Vec<Deviation>,
}

/// A change that another interface made to a declared row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    pub subject: Subject,
    /// The difference, in words.
    pub detail: String,
}

impl Drift {
    /// Whether store and declaration agree.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty() && self.left_alone.is_empty()
    }
}

/// The differences between the store and the declaration that applying would not undo. `states` are the
/// states of the declared tenants.
pub(crate) fn left_alone<'a>(
    declaration: &Declaration,
    states: impl IntoIterator<Item = &'a kinds::TenantState>,
    now: Timestamp,
) -> Vec<Deviation> {
    let mut found = Vec::new();
    for state in states {
        if let Some(declared) = declaration.tenants.get(&state.tenant.id) {
            of_tenant(&mut found, declared, state, now);
        }
    }
    found
}

fn of_tenant(
    found: &mut Vec<Deviation>,
    declared: &kinds::DeclaredTenant,
    state: &kinds::TenantState,
    now: Timestamp,
) {
    let id = &state.tenant.id;
    let mut add = |subject, detail| found.push(Deviation { subject, detail });
    let suspended =
        |since: Timestamp| format!("suspended outside the declaration since {}", since.to_rfc3339());
    if let Some(since) = state.lifecycle.suspended_at {
        add(Subject::Tenant(id.clone()), suspended(since));
    }
    if let Some(due_at) = state.lifecycle.deletion_due_at {
        let detail = format!("scheduled outside the declaration for deletion at {}", due_at.to_rfc3339());
        add(Subject::Tenant(id.clone()), detail);
    }
    let rows = state.clients.iter().filter(|row| row.lifecycle.is_config_managed());
    let rows: HashMap<&ClientId, &kinds::client::State> = rows.map(|row| (&row.client.id, row)).collect();
    for row in declared.clients.iter().filter_map(|declared| rows.get(&declared.client.id)) {
        let client = &row.client.id;
        if let Some(since) = row.lifecycle.suspended_at {
            add(Subject::new::<Client>(id, client.as_str()), suspended(since));
        }
        for (row, detail) in row.secrets.iter().filter_map(|row| Some((row, of_secret(row, now)?))) {
            add(Subject::Secret(id.clone(), client.clone(), row.secret.id.clone()), detail);
        }
    }
}

fn of_secret(row: &SecretState, now: Timestamp) -> Option<String> {
    let secret = &row.secret;
    let end = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339);
    match (row.managed_by, secret.revoked_at, row.revoked_by) {
        (ManagedBy::Config, Some(since), Some(ManagedBy::Api)) => {
            Some(format!("declared, but revoked outside the declaration at {}", since.to_rfc3339()))
        }
        (ManagedBy::Config, None, _) if secret.expires_at != row.declared_expires_at => {
            let [declared, actual] = [row.declared_expires_at, secret.expires_at].map(end);
            Some(format!("declared to expire {declared}, but expires {actual}"))
        }
        (ManagedBy::Api, None, _) if secret.expires_at.is_none_or(|end| now < end) => {
            Some("created outside the declaration".to_owned())
        }
        (ManagedBy::Config | ManagedBy::Api, _, _) => None,
    }
}

/// Shows the plan, then each remaining difference on a line with `!`.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)?;
        self.left_alone.iter().try_for_each(|deviation| writeln!(f, "! {deviation}"))
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.detail)
    }
}
