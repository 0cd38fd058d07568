//! Configurations that were applied, and what they were read from.

use administration::Generation;
use tenancy::StoreError;

use crate::SqliteDatabase;
use crate::column::timestamp;
use crate::error::store_error;
use crate::tenant_row::fingerprint;

const LATEST: &str = "SELECT number, content, applied_at FROM generations ORDER BY number DESC LIMIT ?1";

const SOURCES: &str = "SELECT sealed_sources FROM generations WHERE number = ?1";

impl SqliteDatabase {
    pub(crate) async fn latest_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        let rows: Vec<(i64, Vec<u8>, i64)> =
            sqlx::query_as(LATEST).bind(limit).fetch_all(self.read()).await.map_err(store_error)?;
        let of_row = |(number, content, applied_at): (i64, Vec<u8>, i64)| {
            Ok(Generation {
                number: number.unsigned_abs(),
                content: fingerprint(&content)?,
                applied_at: timestamp(applied_at),
            })
        };
        rows.into_iter().map(of_row).collect()
    }

    pub(crate) async fn sources_of(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar(SOURCES).bind(i64::try_from(number).unwrap_or(i64::MAX));
        let row: Option<Option<Vec<u8>>> = query.fetch_optional(self.read()).await.map_err(store_error)?;
        Ok(row.flatten())
    }
}
