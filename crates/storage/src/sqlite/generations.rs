//! Configurations that were applied, and what they were read from.

use administration::{Fingerprint, Generation, Generations};
use async_trait::async_trait;
use tenancy::StoreError;

use crate::rows::GenerationRow;
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM generations WHERE content = ?1)";

const LATEST: &str =
    "SELECT number, content, applied_at, left_out FROM generations ORDER BY number DESC LIMIT 1";

const LATEST_WHOLE: &str = "
    SELECT number, content, applied_at, left_out FROM generations
     WHERE left_out = '[]'
     ORDER BY number DESC LIMIT ?1";

const SOURCES: &str = "SELECT sealed_sources FROM generations WHERE number = ?1";

#[async_trait]
impl Generations for SqliteDatabase {
    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar(IS_KNOWN).bind(content.as_bytes().as_slice());
        query.fetch_one(self.read()).await.map_err(store_error)
    }

    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        let row: Option<GenerationRow> =
            sqlx::query_as(LATEST).fetch_optional(self.read()).await.map_err(store_error)?;
        row.map(Generation::try_from).transpose()
    }

    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        let rows: Vec<GenerationRow> =
            sqlx::query_as(LATEST_WHOLE).bind(limit).fetch_all(self.read()).await.map_err(store_error)?;
        rows.into_iter().map(Generation::try_from).collect()
    }

    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar(SOURCES).bind(i64::try_from(number).unwrap_or(i64::MAX));
        let row: Option<Option<Vec<u8>>> = query.fetch_optional(self.read()).await.map_err(store_error)?;
        Ok(row.flatten())
    }
}
