//! The audit: a page of it, the newest record first, of one tenant or of the platform.

use administration::{AuditLog, AuditQuery, AuditRecord};
use async_trait::async_trait;
use tenancy::Stored;

use crate::column::{is_text, seconds};
use crate::commit::CommitWriter;
use crate::database::Database;
use crate::error::Error;
use crate::statement::{Argument, Dialect, Statement};

const OF_TENANT: &str = "SELECT {columns(r)} FROM audit_records r WHERE r.tenant_id = {tenant}";

/// Across tenants on purpose: the platform's administrators see everything.
const OF_PLATFORM: &str = "SELECT {columns(r)} FROM audit_records r WHERE TRUE";

/// No clock is wrong by more than a day.
const CLOCKS_DIFFER: i64 = 86_400;

const SQLITE_BEGIN: &str = "
    r.position >= (SELECT position FROM audit_records WHERE at >= ? ORDER BY at, position LIMIT 1)";

const SQLITE_END: &str = "
    r.position <= (SELECT position FROM audit_records WHERE at < ? ORDER BY at DESC, position DESC LIMIT 1)";

const INSERT: &str = "
    INSERT INTO audit_records ({names}, position)
    SELECT {names}, nth + (SELECT COALESCE(MAX(position), 0) FROM audit_records) FROM {given}";

#[async_trait]
impl AuditLog for Database {
    async fn list_audit(&self, query: &AuditQuery) -> Stored<Vec<(i64, AuditRecord)>> {
        if ![&query.actor, &query.action, &query.subject].into_iter().flatten().all(|text| is_text(text)) {
            return Ok(Vec::new());
        }
        Ok(self.read(select(query, self.dialect())).await?)
    }
}

/// Only the requested conditions, so that an index is found.
pub(crate) fn select(query: &AuditQuery, dialect: Dialect) -> Statement {
    let AuditQuery { tenant, actor, action, subject, since, until, before, limit } = query;
    let statement = match tenant {
        Some(tenant) => Statement::of(OF_TENANT).bind(tenant),
        None => Statement::of(OF_PLATFORM),
    };
    let begins = action.as_ref().is_some_and(|action| action.ends_with('.'));
    let (since, until) = (since.map(seconds), until.map(seconds));
    // Time and position grow together but for clocks that differ, so SQLite finds by the time about where to begin and end.
    let finds_place = |_: &i64| dialect == Dialect::Sqlite;
    let text = |text: &Option<String>| text.as_deref().map(Argument::from);
    let conditions = [
        ("r.position < ?", before.map(Argument::from)),
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
        .push(" ORDER BY r.position DESC LIMIT ?", *limit)
}

impl CommitWriter<'_> {
    pub(crate) async fn audit(&mut self) -> Result<(), Error> {
        self.all(INSERT, &self.request.audit).await
    }
}
