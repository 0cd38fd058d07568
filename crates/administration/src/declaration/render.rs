//! A plan as text for people: one line a change, with its effect on clients.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use protocol::Scope;
use registry::ClientId;
use tenancy::{Tenant, TenantId};
use values::Timestamp;

use crate::declaration::plan::{Conflict, Effect, Plan};
use crate::kinds::change::{ChangeKind, PasswordChange, RowChange, SecretChange, SecretChangeKind};
use crate::kinds::fields::FieldChange;
use crate::kinds::match_change;
use crate::kinds::{Change, Kind};

/// Shows the scopes that a client gains or loses on the client's line, or below the tenant's line if only the
/// tenant changes. The reasons for conflicts come last, with `!`.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut effects: HashMap<&TenantId, BTreeMap<&ClientId, &Effect>> = HashMap::new();
        for effect in &self.effects {
            effects.entry(&effect.tenant).or_default().insert(&effect.client, effect);
        }
        let own = self.changes.iter().filter_map(|change| match change {
            Change::Client(row) => {
                effects.get_mut(&row.after.tenant).and_then(|effects| effects.remove(&row.after.id))
            }
            _ => None,
        });
        let own: HashMap<(&TenantId, &ClientId), &Effect> =
            own.map(|effect| ((&effect.tenant, &effect.client), effect)).collect();
        for change in &self.changes {
            write!(f, "{change}")?;
            if let Change::Client(row) = change
                && let Some(effect) = own.get(&(&row.after.tenant, &row.after.id))
            {
                write!(f, "; {}", Difference(effect))?;
            }
            writeln!(f)?;
            if let Change::Tenant(row) = change {
                for effect in effects.remove(&row.after.id).unwrap_or_default().into_values() {
                    writeln!(f, "  {effect}")?;
                }
            }
        }
        self.conflicts.iter().try_for_each(|conflict| {
            writeln!(f, "! {conflict}; tenant {} stays unchanged", conflict.tenant())
        })
    }
}

impl Plan {
    /// The number of additions, changes and retirements, and of tenants with a conflict.
    #[must_use]
    pub fn sum(&self) -> String {
        let count = |sign: &str| self.changes.iter().filter(|change| change.sign() == sign).count();
        let mut sum = format!("{} added, {} changed, {} retired", count("+"), count("~"), count("-"));
        let left_out: HashSet<_> = self.conflicts.iter().map(Conflict::tenant).collect();
        if !left_out.is_empty() {
            sum.push_str(&format!(", {} skipped", left_out.len()));
        }
        sum
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}/{} {}", self.tenant, self.client, Difference(self))
    }
}

impl Change {
    /// The first character of the line.
    fn sign(&self) -> &'static str {
        match_change! { self,
            row => sign(row.kind),
            Self::AccountPassword(_, _, PasswordChange::Set(_)) => "~",
            Self::AccountPassword(_, _, PasswordChange::Removed) => "-",
            Self::Secret(_, _, SecretChange { kind, .. }) => match kind {
                SecretChangeKind::Added { .. } | SecretChangeKind::Restored { .. } => "+",
                SecretChangeKind::Rescheduled { .. } => "~",
                SecretChangeKind::Revoked | SecretChangeKind::Removed => "-",
            },
            Self::Key(_, key) => key.kind.sign(),
            Self::FirstKey(..) | Self::Unlock(..) | Self::PasswordLink(..) => "+",
            Self::Sessions(..) | Self::Consent(..) | Self::Tokens(..) => "-",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = self.tenant();
        write!(f, "{} ", self.sign())?;
        match_change! { self,
            row => write_row(f, tenant, row),
            Self::AccountPassword(_, account, change) => {
                write!(f, "password of account {tenant}/{account}")?;
                match change {
                    PasswordChange::Set(form) => write!(f, " ({})", form.as_str()),
                    PasswordChange::Removed => Ok(()),
                }
            }
            Self::Sessions(_, account, None) => write!(f, "sessions of account {tenant}/{account}"),
            Self::Sessions(_, account, Some(session)) => {
                write!(f, "session {session} of account {tenant}/{account}")
            }
            Self::PasswordLink(_, account) => write!(f, "password link of account {tenant}/{account}"),
            Self::Unlock(_, account) => write!(f, "sign-ins of account {tenant}/{account}"),
            Self::Consent(_, account, client) => {
                write!(f, "consent of account {tenant}/{account} for client {client}")
            }
            Self::Secret(_, client, SecretChange { id, kind, in_store }) => {
                let secret = format!("secret {tenant}/{client}/{id}");
                match *kind {
                    SecretChangeKind::Added { form, expires_at } => {
                        write!(f, "{secret} ({})", form.as_str())?;
                        if let Some(version) = in_store {
                            write!(f, ", changed in the store: {version}")?;
                        }
                        expires_at.map_or(Ok(()), |end| write!(f, ", expires {}", end.to_rfc3339()))
                    }
                    SecretChangeKind::Rescheduled { before, after } => {
                        write!(f, "{secret}: expires {} -> {}", end(before), end(after))
                    }
                    SecretChangeKind::Restored { .. } => write!(f, "{secret} (again)"),
                    SecretChangeKind::Revoked => f.write_str(&secret),
                    SecretChangeKind::Removed => write!(f, "{secret} (expired)"),
                }
            }
            Self::Key(_, key) => write!(f, "key {tenant}/{}", key.id),
            Self::FirstKey(_, key) => {
                let (id, thumbprint) = (key.id, &key.thumbprint);
                write!(f, "key {tenant}/{id} ({}, thumbprint {thumbprint})", key.algorithm)
            }
            Self::Tokens(_, None) => write!(f, "tokens of tenant {tenant}"),
            Self::Tokens(_, Some(client)) => write!(f, "tokens of client {tenant}/{client}"),
        }
    }
}

fn sign(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added | ChangeKind::Restored | ChangeKind::Resumed | ChangeKind::DeletionCancelled => "+",
        ChangeKind::Changed | ChangeKind::Restricted => "~",
        ChangeKind::Retired
        | ChangeKind::Suspended
        | ChangeKind::DeletionScheduled { .. }
        | ChangeKind::Deleted
        | ChangeKind::Revoked => "-",
    }
}

/// Lists the fields that differ. The fields of a new row are left out, because they are in the file. Each
/// tenant is named once.
fn write_row<T: Kind>(f: &mut fmt::Formatter<'_>, tenant: &TenantId, row: &RowChange<T>) -> fmt::Result {
    write!(f, "{} {tenant}", T::NOUN)?;
    if T::NOUN != Tenant::NOUN {
        write!(f, "/{}", row.after.name())?;
    }
    if row.kind == ChangeKind::Restored {
        f.write_str(" (again)")?;
    }
    if row.before.is_none() {
        return Ok(());
    }
    let fields = row.fields();
    let hides = fields.iter().any(FieldChange::hides_tokens);
    for (index, FieldChange { field, before, after }) in fields.into_iter().enumerate() {
        let separator = if index == 0 { ":" } else { "," };
        write!(f, "{separator} {field}")?;
        if !T::IS_PERSONAL {
            write!(f, " {} -> {after}", before.unwrap_or_default())?;
        }
    }
    f.write_str(if hides {
        "; APIs that verify tokens offline will refuse new ones, which are opaque"
    } else {
        ""
    })
}

/// The scopes that a client gains and loses, without the name of the client.
struct Difference<'a>(&'a Effect);

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Effect { gains, loses, .. } = self.0;
        let part = |verb: &str, scope: &Scope| (!scope.is_empty()).then(|| format!("{verb} {scope}"));
        let parts: Vec<String> = [part("gains", gains), part("loses", loses)].into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

fn end(expires_at: Option<Timestamp>) -> String {
    expires_at.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339)
}
