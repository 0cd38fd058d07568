//! Changes that other interfaces made to rows that the operator's files declare. Reconciling leaves them alone, so no plan shows them.

use std::collections::HashMap;
use std::fmt;

use protocol::Timestamp;
use registry::{ClientId, SecretId};
use tenancy::TenantId;

use crate::{ClientState, Declaration, DeclaredTenant, ManagedBy, Plan, SecretState, TenantState};

/// How the store differs from a declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// What applying would change.
    pub plan: Plan,
    /// What it would leave alone.
    pub left_alone: Vec<Deviation>,
}

/// A change that another interface made to a declared row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Whose row.
    pub tenant: TenantId,
    /// The client, where it is not the tenant itself.
    pub client: Option<ClientId>,
    /// The secret of the client, where it is one.
    pub secret: Option<SecretId>,
    /// What.
    pub kind: DeviationKind,
}

/// The change that another interface made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviationKind {
    /// The row does not serve since then.
    Suspended(Timestamp),
    /// The tenant is to be deleted then.
    Deleting(Timestamp),
    /// The secret counts, and no file declares it.
    Given,
    /// The secret is declared, and does not count since then.
    Revoked(Timestamp),
    /// The secret is declared with another end than it has.
    Rescheduled {
        /// What the file says.
        declared: Option<Timestamp>,
        /// What is.
        actual: Option<Timestamp>,
    },
}

impl Drift {
    /// Whether store and declaration agree.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty() && self.left_alone.is_empty()
    }
}

impl Deviation {
    /// The row within its tenant, as in the audit.
    #[must_use]
    pub fn subject(&self) -> String {
        match (&self.client, &self.secret) {
            (Some(client), Some(secret)) => format!("{client}/{secret}"),
            (Some(client), None) => client.to_string(),
            (None, _) => self.tenant.to_string(),
        }
    }
}

/// What stands in the store beside what is declared. `states` are those of the declared tenants.
pub(crate) fn left_alone<'a>(
    declaration: &Declaration,
    states: impl IntoIterator<Item = &'a TenantState>,
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

fn of_tenant(found: &mut Vec<Deviation>, declared: &DeclaredTenant, state: &TenantState, now: Timestamp) {
    let tenant = &state.tenant.id;
    let mut add = |client: Option<&ClientId>, secret: Option<&SecretId>, kind| {
        let (client, secret) = (client.cloned(), secret.cloned());
        found.push(Deviation { tenant: tenant.clone(), client, secret, kind });
    };
    if let Some(since) = state.lifecycle.suspended_at {
        add(None, None, DeviationKind::Suspended(since));
    }
    if let Some(due_at) = state.lifecycle.deletion_due_at {
        add(None, None, DeviationKind::Deleting(due_at));
    }
    let rows: HashMap<&ClientId, &ClientState> = state
        .clients
        .iter()
        .filter(|row| row.lifecycle.is_config_managed())
        .map(|row| (&row.client.id, row))
        .collect();
    for row in declared.clients.iter().filter_map(|declared| rows.get(&declared.client.id)) {
        let client = Some(&row.client.id);
        if let Some(since) = row.lifecycle.suspended_at {
            add(client, None, DeviationKind::Suspended(since));
        }
        for (secret, kind) in row.secrets.iter().filter_map(|row| Some((row, of_secret(row, now)?))) {
            add(client, Some(&secret.secret.id), kind);
        }
    }
}

fn of_secret(row: &SecretState, now: Timestamp) -> Option<DeviationKind> {
    let secret = &row.secret;
    match (row.managed_by, secret.revoked_at, row.revoked_by) {
        (ManagedBy::Config, Some(since), Some(ManagedBy::Api)) => Some(DeviationKind::Revoked(since)),
        (ManagedBy::Config, None, _) if secret.expires_at != row.declared_expires_at => {
            Some(DeviationKind::Rescheduled { declared: row.declared_expires_at, actual: secret.expires_at })
        }
        (ManagedBy::Api, None, _) if secret.expires_at.is_none_or(|end| now < end) => {
            Some(DeviationKind::Given)
        }
        (ManagedBy::Config | ManagedBy::Api, _, _) => None,
    }
}

/// The plan, then what is left alone, each line under `!`.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)?;
        self.left_alone.iter().try_for_each(|deviation| writeln!(f, "! {deviation}"))
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.client, &self.secret) {
            (None, _) => write!(f, "tenant {}", self.tenant)?,
            (Some(client), None) => write!(f, "client {}/{client}", self.tenant)?,
            (Some(client), Some(secret)) => write!(f, "secret {}/{client}/{secret}", self.tenant)?,
        }
        write!(f, ": {}", self.kind)
    }
}

impl fmt::Display for DeviationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |at: &Option<Timestamp>| at.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339);
        match self {
            Self::Suspended(since) => {
                write!(f, "suspended through another interface since {}", since.to_rfc3339())
            }
            Self::Deleting(due_at) => {
                write!(f, "to be deleted at {} through another interface", due_at.to_rfc3339())
            }
            Self::Given => f.write_str("given through another interface"),
            Self::Revoked(since) => {
                write!(f, "declared, and revoked through another interface at {}", since.to_rfc3339())
            }
            Self::Rescheduled { declared, actual } => {
                write!(f, "declared to expire {}, and expires {}", end(declared), end(actual))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deviation_says_what_was_changed_by_api() {
        let tenant = TenantId::parse("acme").unwrap();
        let client = Some(ClientId::parse("svc").unwrap());
        let (at, secret) = (Timestamp::from_seconds(1_801_396_801), Some(SecretId::new("s1")));
        for (client, secret, kind, expected) in [
            (
                None,
                None,
                DeviationKind::Suspended(at),
                "tenant acme: suspended through another interface since 2027-01-31T12:00:01Z",
            ),
            (
                None,
                None,
                DeviationKind::Deleting(at),
                "tenant acme: to be deleted at 2027-01-31T12:00:01Z through another interface",
            ),
            (
                client.clone(),
                None,
                DeviationKind::Suspended(at),
                "client acme/svc: suspended through another interface since 2027-01-31T12:00:01Z",
            ),
            (
                client.clone(),
                secret.clone(),
                DeviationKind::Given,
                "secret acme/svc/s1: given through another interface",
            ),
            (
                client.clone(),
                secret.clone(),
                DeviationKind::Revoked(at),
                "secret acme/svc/s1: declared, and revoked through another interface at 2027-01-31T12:00:01Z",
            ),
            (
                client,
                secret,
                DeviationKind::Rescheduled { declared: None, actual: Some(at) },
                "secret acme/svc/s1: declared to expire never, and expires 2027-01-31T12:00:01Z",
            ),
        ] {
            let deviation = Deviation { tenant: tenant.clone(), client, secret, kind };
            assert_eq!(deviation.to_string(), expected);
        }
    }
}
