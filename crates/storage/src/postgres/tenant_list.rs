//! A page of tenants. Both orders are those of an index, so that a page costs the same among ten tenants and a hundred thousand.
//! Across tenants on purpose, all of it.

use std::collections::HashMap;

use administration::rows::{COUNTED_TERMS, Prefix, TenantSearch};
use administration::{TenantCursor, TenantList, TenantQuery, TenantState};
use async_trait::async_trait;
use tenancy::StoreError;

use crate::column::is_text;
use crate::postgres::PostgresDatabase;
use crate::postgres::tenant_store::columns;
use crate::rows::PlacedRow;

const IN_ORDER: &str = concat!(
    "SELECT '' AS word, ",
    columns!(),
    " FROM tenants t WHERE t.tenant_id > $1 AND t.deleted_at IS NULL ORDER BY t.tenant_id LIMIT $2"
);

/// How many words begin with each of these, as far as it matters.
const COUNT: &str = "
    SELECT given.prefix,
           (SELECT COUNT(*) FROM (SELECT FROM tenant_words w
                                   WHERE w.word >= given.prefix COLLATE \"C\" AND w.word < given.end COLLATE \"C\"
                                   LIMIT $2) AS counted)
      FROM json_to_recordset($1::json) AS given (prefix text, \"end\" text)";

/// By the words that begin with the driving one, from the place `($2, $3)` on. A tenant with two of them is found at the smaller.
const FOUND: &str = concat!(
    "SELECT found.word, ",
    columns!(),
    " FROM (SELECT w.word, w.tenant_id FROM tenant_words w
             WHERE w.word >= $1 AND w.word < $4 AND (w.word, w.tenant_id) > ($2, $3)
               AND NOT EXISTS (SELECT FROM tenant_words s
                                WHERE s.tenant_id = w.tenant_id AND s.word >= $1 AND s.word < w.word)
               AND NOT EXISTS (SELECT FROM json_to_recordset($5::json) AS given (prefix text, \"end\" text)
                                WHERE NOT EXISTS (SELECT FROM tenant_words o
                                                   WHERE o.tenant_id = w.tenant_id
                                                     AND o.word >= given.prefix COLLATE \"C\"
                                                     AND o.word < given.end COLLATE \"C\"))
             ORDER BY w.word, w.tenant_id LIMIT $6) AS found
        JOIN tenants t ON t.tenant_id = found.tenant_id
       ORDER BY found.word, found.tenant_id"
);

#[async_trait]
impl TenantList for PostgresDatabase {
    async fn list_tenants(
        &self,
        query: &TenantQuery,
    ) -> Result<Vec<(TenantCursor, TenantState)>, StoreError> {
        if !query.terms.iter().all(|word| is_text(word)) {
            return Ok(Vec::new());
        }
        let counts =
            if TenantSearch::needs_counts(query) { counts(self, query).await? } else { HashMap::new() };
        let count = |word: &str| counts.get(word).copied().unwrap_or_default();
        let rows: Vec<PlacedRow> = match TenantSearch::of(query, count) {
            None => {
                let after = query.after.as_ref().map_or("", |after| after.tenant.as_str());
                let listing = sqlx::query_as(IN_ORDER).bind(after).bind(i64::from(query.limit));
                self.query_across_tenants(listing).await?
            }
            Some(TenantSearch { prefix, after: (word, tenant), end, others }) => {
                let others = json(&others)?;
                let listing =
                    sqlx::query_as(FOUND).bind(prefix).bind(word).bind(tenant).bind(end).bind(others);
                self.query_across_tenants(listing.bind(i64::from(query.limit))).await?
            }
        };
        rows.into_iter().map(TryFrom::try_from).collect()
    }
}

async fn counts(
    database: &PostgresDatabase,
    query: &TenantQuery,
) -> Result<HashMap<String, u64>, StoreError> {
    let terms: Vec<Prefix> = query.terms.iter().map(|word| Prefix::of(word)).collect();
    let most = i64::try_from(COUNTED_TERMS).unwrap_or(i64::MAX);
    let counting = sqlx::query_as(COUNT).bind(json(&terms)?).bind(most);
    let rows: Vec<(String, i64)> = database.query_across_tenants(counting).await?;
    Ok(rows.into_iter().map(|(word, count)| (word, count.unsigned_abs())).collect())
}

fn json(prefixes: &[Prefix]) -> Result<String, StoreError> {
    serde_json::to_string(prefixes).map_err(StoreError::fault)
}
