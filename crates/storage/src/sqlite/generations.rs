//! Configurations that were applied, and what they were read from.

use administration::Generation;
use sqlx::FromRow;
use tenancy::StoreError;

use crate::sqlite::SqliteDatabase;
use crate::sqlite::administration_row::tenant_id;
use crate::sqlite::column::{json, timestamp};
use crate::sqlite::error::store_error;
use crate::sqlite::tenant_row::fingerprint;

const LATEST: &str =
    "SELECT number, content, applied_at, left_out FROM generations ORDER BY number DESC LIMIT 1";

const LATEST_WHOLE: &str = "
    SELECT number, content, applied_at, left_out FROM generations
     WHERE left_out = '[]'
     ORDER BY number DESC LIMIT ?1";

const SOURCES: &str = "SELECT sealed_sources FROM generations WHERE number = ?1";

#[derive(FromRow)]
struct GenerationRow {
    number: i64,
    content: Vec<u8>,
    applied_at: i64,
    left_out: String,
}

impl SqliteDatabase {
    pub(crate) async fn find_latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        let row: Option<GenerationRow> =
            sqlx::query_as(LATEST).fetch_optional(self.read()).await.map_err(store_error)?;
        row.map(Generation::try_from).transpose()
    }

    pub(crate) async fn latest_whole_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        let rows: Vec<GenerationRow> =
            sqlx::query_as(LATEST_WHOLE).bind(limit).fetch_all(self.read()).await.map_err(store_error)?;
        rows.into_iter().map(Generation::try_from).collect()
    }

    pub(crate) async fn sources_of(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar(SOURCES).bind(i64::try_from(number).unwrap_or(i64::MAX));
        let row: Option<Option<Vec<u8>>> = query.fetch_optional(self.read()).await.map_err(store_error)?;
        Ok(row.flatten())
    }
}

impl TryFrom<GenerationRow> for Generation {
    type Error = StoreError;

    fn try_from(row: GenerationRow) -> Result<Self, Self::Error> {
        let left_out: Vec<String> = json("left_out", &row.left_out)?;
        Ok(Self {
            number: row.number.unsigned_abs(),
            content: fingerprint(&row.content)?,
            applied_at: timestamp(row.applied_at),
            left_out: left_out.iter().map(|id| tenant_id(id)).collect::<Result<_, _>>()?,
        })
    }
}
