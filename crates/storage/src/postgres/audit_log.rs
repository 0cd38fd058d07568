//! A page of the audit, the newest first: of one tenant, read in it, or of the platform.

use administration::rows::seconds;
use administration::{AuditLog, AuditQuery, AuditRecord};
use async_trait::async_trait;
use tenancy::StoreError;

use crate::column::is_text;
use crate::postgres::PostgresDatabase;
use crate::postgres::read::in_tenant;
use crate::rows::AuditRow;

/// From `$2` on, what was asked for; a text that is empty asks for nothing.
macro_rules! asked_for {
    () => {
        "r.position < $2
         AND ($3 = '' OR r.actor = $3)
         AND ($4 = '' OR r.action = $4 OR (right($4, 1) = '.' AND starts_with(r.action, $4)))
         AND ($5 = '' OR r.subject = $5 OR starts_with(r.subject, $5 || '/'))
         AND r.at >= $6 AND r.at < $7
         ORDER BY r.position DESC LIMIT $8"
    };
}

const OF_TENANT: &str =
    in_tenant!("SELECT r.* FROM audit_records r WHERE r.tenant_id = entered.tenant_id AND ", asked_for!());

/// Across tenants on purpose: the platform's administrators see everything. `$1` is empty.
const OF_PLATFORM: &str = concat!("SELECT r.* FROM audit_records r WHERE $1 = '' AND ", asked_for!());

#[async_trait]
impl AuditLog for PostgresDatabase {
    async fn list_audit(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
        if ![&query.actor, &query.action, &query.subject].into_iter().flatten().all(|text| is_text(text)) {
            return Ok(Vec::new());
        }
        let (sql, tenant) = match &query.tenant {
            Some(tenant) => (OF_TENANT, tenant.as_str()),
            None => (OF_PLATFORM, ""),
        };
        let listing = sqlx::query_as(sql)
            .bind(tenant)
            .bind(query.before.unwrap_or(i64::MAX))
            .bind(query.actor.as_deref().unwrap_or_default())
            .bind(query.action.as_deref().unwrap_or_default())
            .bind(query.subject.as_deref().unwrap_or_default())
            .bind(query.since.map_or(0, seconds))
            .bind(query.until.map_or(i64::MAX, seconds))
            .bind(i64::from(query.limit));
        let rows: Vec<AuditRow> = match &query.tenant {
            Some(_) => self.query_in_tenant(listing).await?,
            None => self.query_across_tenants(listing).await?,
        };
        rows.into_iter().map(AuditRow::record).collect()
    }
}
