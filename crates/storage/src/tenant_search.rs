//! Pages of tenants, ordered by id or by the search term that matches. Both orders have an index, so the cost
//! of a page depends neither on its position nor on the number of tenants. All statements read across tenants
//! on purpose.

use std::collections::HashMap;

use administration::kinds::TenantState;
use administration::rows::{COUNTED_TERMS, Prefix, TenantSearch};
use administration::store::TenantList;
use administration::store::query::{TenantCursor, TenantQuery};
use async_trait::async_trait;
use serde_json::json;
use tenancy::Stored;

use crate::column::is_text;
use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;

pub(crate) const IN_ORDER: &str = "
    SELECT '' AS word, {columns(t)}
      FROM tenants t WHERE t.tenant_id > $1 AND t.deleted_at IS NULL ORDER BY t.tenant_id LIMIT $2";

/// For each prefix, the number of search terms that begin with it, counted up to `$2`.
const COUNT: &str = "
    SELECT given.prefix,
           (SELECT COUNT(*) FROM (SELECT 1 FROM tenant_words w
                                   WHERE w.word >= given.prefix {bytewise} AND w.word < given.following {bytewise}
                                   LIMIT $2) AS counted)
      FROM {given(prefix text, following text)}";

/// The search terms after the position `($3, $4)` that begin with `$2` and are less than `$5`. A tenant with
/// two matching terms is returned at the smaller term only. The tenant must also have a term for each of the
/// other prefixes.
macro_rules! places {
    () => {
        "SELECT w.word, w.tenant_id
           FROM tenant_words w
          WHERE (w.word, w.tenant_id) > ($3, $4) AND w.word < $5
            AND NOT EXISTS (SELECT 1 FROM tenant_words s
                             WHERE s.tenant_id = w.tenant_id AND s.word >= $2 AND s.word < w.word)
            AND NOT EXISTS (SELECT 1 FROM {given(prefix text, following text)}
                             WHERE NOT EXISTS (SELECT 1 FROM tenant_words o
                                                WHERE o.tenant_id = w.tenant_id
                                                  AND o.word >= given.prefix {bytewise}
                                                  AND o.word < given.following {bytewise}))
          ORDER BY w.word, w.tenant_id LIMIT $6"
    };
}

#[cfg(test)]
pub(crate) const PLACES: &str = places!();

pub(crate) const FOUND: &str = concat!(
    "SELECT place.word, {columns(t)} FROM (",
    places!(),
    ") AS place {join} tenants t ON t.tenant_id = place.tenant_id
     ORDER BY place.word, place.tenant_id"
);

#[async_trait]
impl TenantList for Database {
    async fn list_tenants(&self, query: &TenantQuery) -> Stored<Vec<(TenantCursor, TenantState)>> {
        if !query.terms.iter().all(|word| is_text(word)) {
            return Ok(Vec::new());
        }
        let counts =
            if TenantSearch::needs_counts(query) { counts(self, query).await? } else { HashMap::new() };
        let count = |word: &str| counts.get(word).copied().unwrap_or_default();
        let statement = match TenantSearch::new(query, count) {
            None => {
                let after = query.after.as_ref().map_or("", |after| after.tenant.as_str());
                Statement::from_text(IN_ORDER).bind(after)
            }
            Some(TenantSearch { prefix, after: (word, tenant), end, others }) => Statement::from_text(FOUND)
                .bind(json!(others).to_string())
                .bind(prefix)
                .bind(word)
                .bind(tenant)
                .bind(end),
        };
        Ok(self.read(statement.bind(query.limit)).await?)
    }
}

async fn counts(database: &Database, query: &TenantQuery) -> Result<HashMap<String, u64>, Error> {
    let terms: Vec<Prefix> = query.terms.iter().map(|word| Prefix::from_text(word)).collect();
    let statement = Statement::from_text(COUNT).bind(json!(terms).to_string()).bind(COUNTED_TERMS);
    let rows: Vec<(String, u64)> = database.read(statement).await?;
    Ok(rows.into_iter().collect())
}
