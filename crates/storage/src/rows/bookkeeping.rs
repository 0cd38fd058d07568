//! The columns of applications, generations, idempotent answers, used identifiers, usage, the audit and the
//! change log.

use administration::audit::AuditRecord;
use administration::documents::application::Application;
use administration::documents::{Instant, UsedFrom};
use administration::kinds::Invalidation;
use administration::store::{Generation, IdempotentAnswer, SecretUsage, VerifierFetch};
use registry::SingleUseIdentifier;
use serde_json::{Map, Value, json};
use tenancy::{History, TenantId};
use values::Timestamp;

use crate::column::ColumnValue;
use crate::columns::{Columns, columns, selected};
use crate::error::Error;
use crate::lost_changes::SeenChange;
use crate::row::{DatabaseRow, FromRow};

columns! {
    Application {
        tenant: "tenant_id",
        id: "application_id",
        client: "client_id",
        name, document, created_at,
    }
}

columns! {
    Generation { number, content, applied_at, left_out }
}

columns! {
    IdempotentAnswer { tenant: "tenant_id", key, request, sealed, expires_at }
}

columns! {
    SingleUseIdentifier { digest, expires_at }
}

columns! {
    SecretUsage {
        tenant: "tenant_id",
        client: "client_id",
        secret: "secret_id",
    } with { from: UsedFrom }
}

/// Both time columns use 0 for "never", because each was added to rows that had only the other.
impl Columns for UsedFrom {
    fn columns() -> Vec<(&'static str, &'static str)> {
        vec![("address", String::TYPE), ("last_used_at", u64::TYPE), ("last_refused_at", u64::TYPE)]
    }

    fn write(&self, row: &mut Map<String, Value>) {
        let seconds = |at: Option<Instant>| at.map_or(0, |at| at.0.seconds()).json();
        row.insert("address".to_owned(), self.address.json());
        row.insert("last_used_at".to_owned(), seconds(self.last_used_at));
        row.insert("last_refused_at".to_owned(), seconds(self.presented_after_end_at));
    }
}

impl FromRow for UsedFrom {
    fn selection(table: &str) -> String {
        selected(&<Self as Columns>::columns(), table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let at = |column| {
            let seconds = u64::read(row, column)?;
            Ok::<_, Error>((seconds > 0).then(|| Instant(Timestamp::from_seconds(seconds))))
        };
        Ok(Self {
            address: ColumnValue::read(row, "address")?,
            last_used_at: at("last_used_at")?,
            presented_after_end_at: at("last_refused_at")?,
        })
    }
}

columns! {
    VerifierFetch { tenant: "tenant_id", verifier, last_fetch_at, newest_key }
}

columns! {
    AuditRecord {
        tenant: "tenant_id",
        at, actor, source, credential, sender_constraint, action, subject, detail,
    }
}

impl FromRow for (i64, AuditRecord) {
    fn selection(table: &str) -> String {
        format!("{table}.position, {}", AuditRecord::selection(table))
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Ok((row.get("position")?, AuditRecord::from_row(row)?))
    }
}

/// A row of the change log. Contains an error if a newer version logged a kind of change that this version
/// does not know.
pub struct LoggedChange {
    pub(crate) position: i64,
    pub(crate) change: Result<Invalidation, Error>,
}

impl LoggedChange {
    #[must_use]
    pub fn new(position: i64, change: Invalidation) -> Self {
        Self { position, change: Ok(change) }
    }
}

pub struct LogReading {
    /// The history that the positions belong to.
    pub history: History,
    /// The position where the next reading starts.
    pub end: String,
    /// Whether the store still contains everything that earlier readings have seen. A failover can lose it.
    pub is_continued: bool,
    /// The changes that no earlier reading has seen.
    pub changes: Vec<LoggedChange>,
    /// The state of the tenants of these changes.
    pub seen: Vec<SeenChange>,
}

/// A row that a read of the log returns. If there are no changes, the read returns one row with `None`.
pub(crate) struct ReadChange {
    history: History,
    end: String,
    is_continued: bool,
    change: Option<LoggedChange>,
    seen: Option<SeenChange>,
}

impl LogReading {
    pub(crate) fn new(rows: Vec<ReadChange>) -> Result<Self, Error> {
        let unreadable = || Error::unreadable("history", "a reading has a row");
        let ReadChange { history, ref end, is_continued, .. } = *rows.first().ok_or_else(unreadable)?;
        let end = end.clone();
        let (changes, seen): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.change, row.seen)).unzip();
        let (changes, seen) = (changes.into_iter().flatten().collect(), seen.into_iter().flatten().collect());
        Ok(Self { history, end, is_continued, changes, seen })
    }
}

impl FromRow for ReadChange {
    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let position: Option<i64> = row.get("position")?;
        let change = position.map(|_| LoggedChange::from_row(row)).transpose()?;
        let (end, is_continued) = (row.get("log_end")?, row.get("is_continued")?);
        let (history, seen) = (History(row.get("history")?), SeenChange::read(row)?);
        Ok(Self { history, end, is_continued, change, seen })
    }
}

impl FromRow for LoggedChange {
    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Ok(Self { position: row.get("position")?, change: invalidation(row) })
    }
}

fn invalidation(row: &DatabaseRow) -> Result<Invalidation, Error> {
    let tenant = TenantId::read(row, "tenant_id")?;
    let kind: String = row.get("kind")?;
    let mut names = Vec::new();
    for of in Invalidation::NAMED_KINDS {
        names.extend(row.get::<Option<String>>(&name_column(of))?.map(|name| (of, name)));
    }
    let unknown = || Error::unreadable("kind", format_args!("unknown kind {kind:?}"));
    logged(&kind, tenant, &names).ok_or_else(unknown)
}

/// The change with this kind and its name. A kind without a name has no column.
fn logged(kind: &str, tenant: TenantId, names: &[(&str, String)]) -> Option<Invalidation> {
    match names {
        [] => Invalidation::new(kind, tenant, None),
        [(of, name)] if *of == kind => Invalidation::new(kind, tenant, Some(name)),
        _ => None,
    }
}

/// The column of the log that has the name for this kind of change.
pub(crate) fn name_column(kind: &str) -> String {
    format!("{kind}_id")
}

pub(crate) fn log_row(invalidation: &Invalidation) -> Value {
    let (kind, name) = invalidation.kind_and_name();
    let mut row = json!({ "kind": kind, "tenant_id": invalidation.tenant().as_str() });
    for known in Invalidation::NAMED_KINDS {
        row[name_column(known)] = name.filter(|_| known == kind).into();
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logged_change_has_only_the_name_of_its_kind() {
        let account = "usr_aeaqcaibaeaqcaibaeaqcaibae";
        let read = |kind: &str, names: &[(&str, &str)]| {
            let names: Vec<_> = names.iter().map(|(of, name)| (*of, (*name).to_owned())).collect();
            logged(kind, TenantId::parse("acme").unwrap(), &names)
        };
        for (kind, names) in [
            ("tenant", &[][..]),
            ("keys", &[]),
            ("revocations", &[]),
            ("client", &[("client", "svc")]),
            ("account", &[("account", account)]),
        ] {
            let found = read(kind, names).unwrap();
            assert_eq!(found.kind_and_name(), (kind, names.first().map(|(_, name)| *name)));
            let row = log_row(&found);
            let set = Invalidation::NAMED_KINDS.into_iter().filter(|of| row[name_column(of)].is_string());
            assert_eq!(set.collect::<Vec<_>>(), names.iter().map(|(of, _)| *of).collect::<Vec<_>>());
        }
        for (kind, names) in [
            ("client", &[][..]),
            ("account", &[]),
            ("tenant", &[("client", "svc")]),
            ("client", &[("account", account)]),
            ("account", &[("client", account)]),
            ("client", &[("client", "svc"), ("account", account)]),
            ("account", &[("client", "svc"), ("account", account)]),
            ("account", &[("account", "ada")]),
            ("page", &[]),
        ] {
            assert_eq!(read(kind, names), None, "{kind} {names:?}");
        }
    }
}
