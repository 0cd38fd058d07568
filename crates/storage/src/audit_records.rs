//! Reads pages of the audit log, newest record first, for one tenant or for the platform. Each tenant's
//! records are numbered separately.

use administration::audit::AuditRecord;
use administration::store::AuditLog;
use administration::store::query::{AuditCursor, AuditQuery};
use async_trait::async_trait;
use tenancy::Stored;

use crate::column::{is_text, seconds};
use crate::database::Database;
use crate::statement::{Argument, Dialect, Statement};

const OF_TENANT: &str = "SELECT {columns(r)} FROM audit_records r WHERE r.tenant_id = {tenant}";

/// Reads across tenants on purpose: the platform's administrators see all records.
const OF_PLATFORM: &str = "SELECT {columns(r)} FROM audit_records r WHERE TRUE";

/// Seconds. The clocks of two replicas are assumed to differ by at most one day.
const CLOCKS_DIFFER: i64 = 86_400;

const SQLITE_BEGIN: &str = "
    r.position >= (SELECT position FROM audit_records
                    WHERE tenant_id = {tenant} AND at >= ? ORDER BY at, position LIMIT 1)";

const SQLITE_END: &str = "
    r.position <= (SELECT position FROM audit_records
                    WHERE tenant_id = {tenant} AND at < ? ORDER BY at DESC, position DESC LIMIT 1)";

/// Gives each record the next number of its tenant. Two commits cannot take the same number: in PostgreSQL
/// the transaction has locked the tenants' rows, and SQLite has only one writer.
pub(crate) const INSERT: &str = "
    INSERT INTO audit_records ({names}, position)
    SELECT {names}, ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY nth)
                    + COALESCE((SELECT MAX(r.position) FROM audit_records r WHERE r.tenant_id = given.tenant_id), 0)
      FROM {given}";

#[async_trait]
impl AuditLog for Database {
    async fn list_audit(&self, query: &AuditQuery) -> Stored<Vec<(i64, AuditRecord)>> {
        if ![&query.actor, &query.action, &query.subject].into_iter().flatten().all(|text| is_text(text)) {
            return Ok(Vec::new());
        }
        Ok(self.read(select(query, self.dialect())).await?)
    }
}

/// Adds only the conditions that the query contains, so that the engine can use an index.
pub(crate) fn select(query: &AuditQuery, dialect: Dialect) -> Statement {
    let AuditQuery { tenant, actor, action, subject, since, until, before, limit } = query;
    let (statement, order) = match tenant {
        Some(tenant) => (Statement::from_text(OF_TENANT).bind(tenant), "r.position DESC"),
        None => (Statement::from_text(OF_PLATFORM), "r.at DESC, r.tenant_id DESC, r.position DESC"),
    };
    let statement = match before {
        None => statement,
        Some(before) if tenant.is_some() => statement.push(" AND r.position < ?", before.position),
        Some(AuditCursor { at, tenant, position }) => {
            let place = vec![(*at).into(), tenant.into(), (*position).into()];
            statement.push_row(" AND (r.at, r.tenant_id, r.position) < ?", place)
        }
    };
    let begins = action.as_ref().is_some_and(|action| action.ends_with('.'));
    let (since, until) = (since.map(seconds), until.map(seconds));
    // Within a tenant, positions increase with time, except for differences between clocks. SQLite uses this
    // to limit the range of positions that it scans.
    let finds_place = |_: &i64| tenant.is_some() && dialect == Dialect::Sqlite;
    let text = |text: &Option<String>| text.as_deref().map(Argument::from);
    let conditions = [
        ("r.actor = ?", text(actor)),
        (if begins { "substr(r.action, 1, length(?)) = ?" } else { "r.action = ?" }, text(action)),
        ("(r.subject = ? OR substr(r.subject, 1, length(?) + 1) = ? || '/')", text(subject)),
        ("r.at >= ?", since.map(Argument::from)),
        (SQLITE_BEGIN, since.filter(finds_place).map(|since| (since - CLOCKS_DIFFER).into())),
        ("r.at < ?", until.map(Argument::from)),
        (SQLITE_END, until.filter(finds_place).map(|until| until.saturating_add(CLOCKS_DIFFER).into())),
    ];
    let requested = conditions.into_iter().filter_map(|(condition, argument)| Some((condition, argument?)));
    requested
        .fold(statement, |statement, (condition, argument)| {
            statement.push(&format!(" AND {condition}"), argument)
        })
        .push(&format!(" ORDER BY {order} LIMIT ?"), *limit)
}

/// The number of rows in one statement, which is a few hundred kilobytes of JSON.
pub(crate) const BATCH: usize = 1000;
