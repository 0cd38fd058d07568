//! Configurations that were applied, and what the latest of them were read from.

use administration::{Fingerprint, Generation, Generations};
use async_trait::async_trait;
use tenancy::StoreError;

use crate::postgres::PostgresDatabase;
use crate::rows::GenerationRow;

const LATEST: &str = "
    SELECT number, content, applied_at, left_out FROM generations ORDER BY number DESC LIMIT 1";

const LATEST_WHOLE: &str = "
    SELECT number, content, applied_at, left_out FROM generations
     WHERE left_out = '{}'
     ORDER BY number DESC LIMIT $1";

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM generations WHERE content = $1)";

const SOURCES: &str = "
    SELECT sealed_sources FROM generations WHERE number = $1 AND sealed_sources IS NOT NULL";

#[async_trait]
impl Generations for PostgresDatabase {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        let rows: Vec<GenerationRow> = self.query_across_tenants(sqlx::query_as(LATEST)).await?;
        rows.into_iter().next().map(Generation::try_from).transpose()
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        self.one(sqlx::query_as(IS_KNOWN).bind(content.as_bytes().as_slice())).await
    }

    /// The newest first.
    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        let query = sqlx::query_as(LATEST_WHOLE).bind(i64::from(limit));
        let rows: Vec<GenerationRow> = self.query_across_tenants(query).await?;
        rows.into_iter().map(Generation::try_from).collect()
    }

    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let rows: Vec<(Vec<u8>,)> = self.query_across_tenants(sqlx::query_as(SOURCES).bind(number)).await?;
        Ok(rows.into_iter().next().map(|(sealed,)| sealed))
    }
}
