//! Pages of audit records, the newest first.

use administration::rows::seconds;
use administration::{AuditLog, AuditQuery, AuditRecord};
use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite};
use tenancy::StoreError;

use crate::rows::AuditRow;
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;

/// No clock is wrong by more than a day.
const CLOCKS_DIFFER: i64 = 86_400;

const AUDIT: &str =
    "SELECT tenant_id, position, at, actor, source, action, subject, detail FROM audit_records WHERE TRUE";

#[async_trait]
impl AuditLog for SqliteDatabase {
    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
        let rows: Vec<AuditRow> =
            audit(query).build_query_as().fetch_all(self.read()).await.map_err(store_error)?;
        rows.into_iter().map(AuditRow::record).collect()
    }
}

/// Only the conditions that were asked for, so that SQLite knows which index to follow.
pub(crate) fn audit(query: &AuditQuery) -> QueryBuilder<Sqlite> {
    let AuditQuery { tenant, actor, action, subject, since, until, before, limit } = query;
    let mut sql = QueryBuilder::new(AUDIT);
    if let Some(tenant) = tenant {
        sql.push(" AND tenant_id = ").push_bind(tenant.to_string());
    }
    if let Some(before) = before {
        sql.push(" AND position < ").push_bind(*before);
    }
    if let Some(actor) = actor {
        sql.push(" AND actor = ").push_bind(actor.clone());
    }
    match action {
        Some(action) if action.ends_with('.') => {
            sql.push(" AND substr(action, 1, length(").push_bind(action.clone());
            sql.push(")) = ").push_bind(action.clone());
        }
        Some(action) => {
            sql.push(" AND action = ").push_bind(action.clone());
        }
        None => {}
    }
    if let Some(subject) = subject {
        let below = format!("{subject}/");
        sql.push(" AND (subject = ").push_bind(subject.clone());
        sql.push(" OR substr(subject, 1, length(").push_bind(below.clone());
        sql.push(")) = ").push_bind(below).push(")");
    }
    // Time and position go up together but for clocks that differ, so the time also says about where to begin and end.
    if let Some(since) = since.map(seconds) {
        sql.push(" AND at >= ").push_bind(since);
        sql.push(" AND position >= (SELECT position FROM audit_records WHERE at >= ");
        sql.push_bind(since - CLOCKS_DIFFER).push(" ORDER BY at, position LIMIT 1)");
    }
    if let Some(until) = until.map(seconds) {
        sql.push(" AND at < ").push_bind(until);
        sql.push(" AND position <= (SELECT position FROM audit_records WHERE at < ");
        sql.push_bind(until.saturating_add(CLOCKS_DIFFER)).push(" ORDER BY at DESC, position DESC LIMIT 1)");
    }
    sql.push(" ORDER BY position DESC LIMIT ").push_bind(*limit);
    sql
}
