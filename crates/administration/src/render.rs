//! A plan for people: one line a change, with what it means for whom.

use std::fmt;

use protocol::{Scope, Timestamp};

use crate::fields::Described;
use crate::{Change, ChangeKind, FieldChange, Plan, RowChange, SecretChangeKind};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = self.tenant();
        match self {
            Self::Tenant(row) => {
                write!(f, "{} tenant {tenant}", sign(row.kind))?;
                write_fields(f, row)
            }
            Self::ResourceServer(_, row) => {
                write!(f, "{} resource server {tenant}/{}", sign(row.kind), row.after.audience)?;
                write_fields(f, row)
            }
            Self::Client(row) => {
                write!(f, "{} client {tenant}/{}", sign(row.kind), row.after.id)?;
                write_fields(f, row)?;
                let (before, after) = scopes_of_client(row);
                write_difference(f, "gains", &after, &before)?;
                write_difference(f, "loses", &before, &after)
            }
            Self::Secret(_, client, secret) => {
                let id = &secret.id;
                match secret.kind {
                    SecretChangeKind::Added { form, expires_at } => {
                        write!(f, "+ secret {tenant}/{client}/{id} ({})", form.as_str())?;
                        expires_at.map_or(Ok(()), |end| write!(f, ", expires {}", end.seconds()))
                    }
                    SecretChangeKind::Rescheduled { before, after } => {
                        write!(
                            f,
                            "~ secret {tenant}/{client}/{id}: expires {} -> {}",
                            end(before),
                            end(after)
                        )
                    }
                    SecretChangeKind::Restored { .. } => write!(f, "+ secret {tenant}/{client}/{id} (again)"),
                    SecretChangeKind::Revoked => write!(f, "- secret {tenant}/{client}/{id}"),
                }
            }
            Self::Application(row) => {
                write!(f, "{} application {}/{}", sign(row.kind), row.after.tenant, row.after.id)?;
                write_fields(f, row)
            }
            Self::FirstKey(_, key) => {
                let (id, thumbprint) = (keys::KeyId::numbered(1), &key.thumbprint);
                write!(f, "+ key {tenant}/{id} ({}, thumbprint {thumbprint})", key.algorithm)
            }
        }
    }
}

fn sign(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added | ChangeKind::Restored | ChangeKind::Resumed | ChangeKind::DeletionCancelled => "+",
        ChangeKind::Changed => "~",
        ChangeKind::Retired
        | ChangeKind::Suspended
        | ChangeKind::DeletionScheduled { .. }
        | ChangeKind::Deleted => "-",
    }
}

/// The fields of a new row are in the file that declares it; here only what differs from what was there is told.
fn write_fields<T: Described>(f: &mut fmt::Formatter<'_>, row: &RowChange<T>) -> fmt::Result {
    if row.kind == ChangeKind::Restored {
        f.write_str(" (again)")?;
    }
    if row.before.is_none() {
        return Ok(());
    }
    for (index, FieldChange { field, before, after }) in row.fields().into_iter().enumerate() {
        let separator = if index == 0 { ":" } else { "," };
        write!(f, "{separator} {field} {} -> {after}", before.unwrap_or_default())?;
    }
    Ok(())
}

/// What the client could ask for until now, and from now on: a retired one can ask for nothing.
fn scopes_of_client(row: &RowChange<registry::Client>) -> (Scope, Scope) {
    let before = row.before.as_ref().map(|client| client.scope.clone()).unwrap_or_default();
    let after = row.after.scope.clone();
    match row.kind {
        ChangeKind::Added | ChangeKind::Restored | ChangeKind::Resumed | ChangeKind::DeletionCancelled => {
            (Scope::default(), after)
        }
        ChangeKind::Changed => (before, after),
        ChangeKind::Retired
        | ChangeKind::Suspended
        | ChangeKind::DeletionScheduled { .. }
        | ChangeKind::Deleted => (before, Scope::default()),
    }
}

fn write_difference(f: &mut fmt::Formatter<'_>, verb: &str, these: &Scope, those: &Scope) -> fmt::Result {
    let only: Scope = these.iter().filter(|token| !those.contains(token)).cloned().collect();
    if only.is_empty() { Ok(()) } else { write!(f, "; {verb} {only}") }
}

fn end(expires_at: Option<Timestamp>) -> String {
    expires_at.map_or_else(|| "never".to_owned(), |end| end.seconds().to_string())
}
