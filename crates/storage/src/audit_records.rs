//! The audit: a page of it, the newest record first, of one tenant or of the platform.

use administration::{AuditLog, AuditQuery, AuditRecord};
use async_trait::async_trait;
use tenancy::StoreError;

use crate::column::{is_text, seconds};
use crate::commit::CommitWriter;
use crate::database::Database;
use crate::error::Error;
use crate::statement::{Dialect, Statement};

const OF_TENANT: &str = "SELECT {columns(r)} FROM audit_records r WHERE r.tenant_id = {tenant}";

/// Across tenants on purpose: the platform's administrators see everything.
const OF_PLATFORM: &str = "SELECT {columns(r)} FROM audit_records r WHERE TRUE";

/// No clock is wrong by more than a day.
const CLOCKS_DIFFER: i64 = 86_400;

const INSERT: &str = "
    INSERT INTO audit_records ({names}, position)
    SELECT {names}, nth + (SELECT COALESCE(MAX(position), 0) FROM audit_records) FROM {given}";

#[async_trait]
impl AuditLog for Database {
    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
        if ![&query.actor, &query.action, &query.subject].into_iter().flatten().all(|text| is_text(text)) {
            return Ok(Vec::new());
        }
        Ok(self.read(select(query, self.dialect())).await?)
    }
}

/// Only the requested conditions, so that an index is found.
pub(crate) fn select(query: &AuditQuery, dialect: Dialect) -> Statement {
    let AuditQuery { tenant, actor, action, subject, since, until, before, limit } = query;
    let mut statement = match tenant {
        Some(tenant) => Statement::of(OF_TENANT).bind(tenant),
        None => Statement::of(OF_PLATFORM),
    };
    if let Some(before) = before {
        statement = statement.push(" AND r.position < ?", *before);
    }
    if let Some(actor) = actor {
        statement = statement.push(" AND r.actor = ?", actor.as_str());
    }
    if let Some(action) = action {
        let condition =
            if action.ends_with('.') { "substr(r.action, 1, length(?)) = ?" } else { "r.action = ?" };
        statement = statement.push(&format!(" AND {condition}"), action.as_str());
    }
    if let Some(subject) = subject {
        let condition = " AND (r.subject = ? OR substr(r.subject, 1, length(?) + 1) = ? || '/')";
        statement = statement.push(condition, subject.as_str());
    }
    // Time and position grow together but for clocks that differ, so SQLite finds by the time about where to begin and end.
    let finds_place = dialect == Dialect::Sqlite;
    if let Some(since) = since.map(seconds) {
        statement = statement.push(" AND r.at >= ?", since);
        if finds_place {
            let place = " AND r.position >= (SELECT position FROM audit_records WHERE at >= ?
                                              ORDER BY at, position LIMIT 1)";
            statement = statement.push(place, since - CLOCKS_DIFFER);
        }
    }
    if let Some(until) = until.map(seconds) {
        statement = statement.push(" AND r.at < ?", until);
        if finds_place {
            let place = " AND r.position <= (SELECT position FROM audit_records WHERE at < ?
                                              ORDER BY at DESC, position DESC LIMIT 1)";
            statement = statement.push(place, until.saturating_add(CLOCKS_DIFFER));
        }
    }
    statement.push(" ORDER BY r.position DESC LIMIT ?", *limit)
}

impl CommitWriter<'_> {
    pub(crate) async fn audit(&mut self) -> Result<(), Error> {
        self.all(INSERT, &self.request.audit).await
    }
}
