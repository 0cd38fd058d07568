//! The audit: one page of it, the newest record first, of one tenant or of the platform. Records are numbered
//! within their tenant.

use administration::audit::AuditRecord;
use administration::store::AuditLog;
use administration::store::query::{AuditCursor, AuditQuery};
use async_trait::async_trait;
use tenancy::Stored;

use crate::column::{is_text, seconds};
use crate::database::Database;
use crate::statement::{Argument, Dialect, Statement};

const OF_TENANT: &str = "SELECT {columns(r)} FROM audit_records r WHERE r.tenant_id = {tenant}";

/// Across tenants on purpose: the platform's administrators see everything.
const OF_PLATFORM: &str = "SELECT {columns(r)} FROM audit_records r WHERE TRUE";

/// No clock is wrong by more than a day.
const CLOCKS_DIFFER: i64 = 86_400;

const SQLITE_BEGIN: &str = "
    r.position >= (SELECT position FROM audit_records
                    WHERE tenant_id = {tenant} AND at >= ? ORDER BY at, position LIMIT 1)";

const SQLITE_END: &str = "
    r.position <= (SELECT position FROM audit_records
                    WHERE tenant_id = {tenant} AND at < ? ORDER BY at DESC, position DESC LIMIT 1)";

/// Gives each record the next number of its tenant. In PostgreSQL the transaction has locked the rows of the
/// tenants; SQLite has one writer.
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

/// The statement has only the requested conditions, so that the engine uses an index.
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
    // Times and positions of a tenant grow together, apart from differences of clocks. So SQLite finds the
    // approximate begin and end by the time.
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

/// Rows in one statement: some hundred kilobytes of JSON.
pub(crate) const BATCH: usize = 1000;
