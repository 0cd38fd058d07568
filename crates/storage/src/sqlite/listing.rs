//! Pages of tenants, clients and audit records. A page goes on after the last row that was seen and is found by an index, so that it
//! costs the same wherever it begins and however many rows there are.

use administration::rows::{COUNTED_TERMS, Prefix, TenantSearch, seconds};
use administration::{
    AuditQuery, AuditRecord, ClientQuery, ClientState, TenantCursor, TenantQuery, TenantState,
};
use registry::ClientId;
use sqlx::{QueryBuilder, Sqlite};
use tenancy::{StoreError, TenantId};

use crate::sqlite::SqliteDatabase;
use crate::sqlite::administration_row::AuditRow;
use crate::sqlite::client_row::{self, ClientRow};
use crate::sqlite::error::store_error;
use crate::sqlite::tenant_row::{self, PlacedRow};

/// At most so many as tell which word of a query is the rarest.
const COUNT: &str = "
    SELECT value ->> 'prefix',
           (SELECT COUNT(*)
              FROM (SELECT 1 FROM tenant_words w
                     WHERE w.word >= value ->> 'prefix' AND w.word < value ->> 'end' LIMIT ?2))
      FROM json_each(?1)";

/// Places in the order of the words; of a tenant only the first one, and only if the other words are there too.
pub(crate) const PLACES: &str = "
    SELECT w.word, w.tenant_id
      FROM tenant_words w
     WHERE (w.word, w.tenant_id) > (?2, ?3) AND w.word < ?4
       AND NOT EXISTS (SELECT 1 FROM tenant_words e
                        WHERE e.tenant_id = w.tenant_id AND e.word >= ?1 AND e.word < w.word)
       AND NOT EXISTS (SELECT 1 FROM json_each(?5)
                        WHERE NOT EXISTS (SELECT 1 FROM tenant_words o
                                           WHERE o.tenant_id = w.tenant_id AND o.word >= value ->> 'prefix'
                                             AND o.word < value ->> 'end'))
     ORDER BY w.word, w.tenant_id
     LIMIT ?6";

/// No clock is wrong by more than a day.
const CLOCKS_DIFFER: i64 = 86_400;

const AUDIT: &str =
    "SELECT tenant_id, position, at, actor, source, action, subject, detail FROM audit_records WHERE TRUE";

impl SqliteDatabase {
    pub(crate) async fn tenant_page(
        &self,
        query: &TenantQuery,
    ) -> Result<Vec<(TenantCursor, TenantState)>, StoreError> {
        let rows: Vec<PlacedRow> = match self.search(query).await? {
            None => {
                let after = query.after.as_ref().map_or("", |after| after.tenant.as_str());
                let page = sqlx::query_as(tenant_row::SELECT_PAGE).bind(after).bind(query.limit);
                page.fetch_all(self.read()).await.map_err(store_error)?
            }
            Some(search) => {
                let places = json(&self.places(&search, query.limit).await?)?;
                let found = sqlx::query_as(tenant_row::SELECT_FOUND).bind(places);
                found.fetch_all(self.read()).await.map_err(store_error)?
            }
        };
        rows.into_iter().map(TryFrom::try_from).collect()
    }

    async fn search(&self, query: &TenantQuery) -> Result<Option<TenantSearch>, StoreError> {
        let mut counts: Vec<(String, i64)> = Vec::new();
        if TenantSearch::needs_counts(query) {
            let terms: Vec<_> = query.terms.iter().map(|word| Prefix::of(word)).collect();
            let count = sqlx::query_as(COUNT)
                .bind(json(&terms)?)
                .bind(i64::try_from(COUNTED_TERMS).unwrap_or(i64::MAX));
            counts = count.fetch_all(self.read()).await.map_err(store_error)?;
        }
        let of = |word: &str| {
            counts.iter().find(|(counted, _)| counted == word).map_or(0, |(_, count)| count.unsigned_abs())
        };
        Ok(TenantSearch::of(query, of))
    }

    async fn places(&self, search: &TenantSearch, limit: u32) -> Result<Vec<(String, String)>, StoreError> {
        let (after_word, after_tenant) = &search.after;
        let query = sqlx::query_as(PLACES)
            .bind(&search.prefix)
            .bind(after_word)
            .bind(after_tenant)
            .bind(&search.end)
            .bind(json(&search.others)?)
            .bind(limit);
        query.fetch_all(self.read()).await.map_err(store_error)
    }

    pub(crate) async fn client_page(
        &self,
        tenant: &TenantId,
        query: &ClientQuery,
    ) -> Result<Vec<ClientState>, StoreError> {
        let part = query.search.as_deref().unwrap_or_default().to_ascii_lowercase();
        let rows: Vec<ClientRow> = sqlx::query_as(client_row::SELECT_PAGE)
            .bind(tenant.as_str())
            .bind(query.after.as_ref().map_or("", ClientId::as_str))
            .bind(part)
            .bind(query.limit)
            .fetch_all(self.read())
            .await
            .map_err(store_error)?;
        rows.iter().map(ClientRow::state).collect()
    }

    pub(crate) async fn audit_page(&self, query: &AuditQuery) -> Result<Vec<(i64, AuditRecord)>, StoreError> {
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

fn json(rows: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(StoreError::fault)
}
