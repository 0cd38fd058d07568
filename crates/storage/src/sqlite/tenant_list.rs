//! Pages of tenants. A page begins after the last row of the one before, and an index finds it, so that it costs the same wherever it
//! begins and however many rows there are.

use administration::rows::{COUNTED_TERMS, Prefix, TenantSearch};
use administration::{TenantCursor, TenantList, TenantQuery, TenantState};
use async_trait::async_trait;
use tenancy::StoreError;

use crate::rows::PlacedRow;
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;
use crate::sqlite::tenant_store;

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

#[async_trait]
impl TenantList for SqliteDatabase {
    async fn list_tenants(
        &self,
        query: &TenantQuery,
    ) -> Result<Vec<(TenantCursor, TenantState)>, StoreError> {
        let rows: Vec<PlacedRow> = match self.search(query).await? {
            None => {
                let after = query.after.as_ref().map_or("", |after| after.tenant.as_str());
                let page = sqlx::query_as(tenant_store::SELECT_PAGE).bind(after).bind(query.limit);
                page.fetch_all(self.read()).await.map_err(store_error)?
            }
            Some(search) => {
                let places = json(&self.places(&search, query.limit).await?)?;
                let found = sqlx::query_as(tenant_store::SELECT_FOUND).bind(places);
                found.fetch_all(self.read()).await.map_err(store_error)?
            }
        };
        rows.into_iter().map(TryFrom::try_from).collect()
    }
}

impl SqliteDatabase {
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
}

fn json(rows: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(StoreError::fault)
}
