//! Configurations that were applied, and the sources of the latest of them.

use administration::{Fingerprint, Generation, Generations, KEPT_SOURCES};
use async_trait::async_trait;
use tenancy::{StoreError, TenantId};

use crate::commit::{CommitError, CommitWriter};
use crate::database::Database;
use crate::rows::GenerationRow;
use crate::statement::Statement;

const LATEST: &str = "
    SELECT number, content, applied_at, left_out FROM generations ORDER BY number DESC LIMIT 1";

const LATEST_WHOLE: &str = "
    SELECT number, content, applied_at, left_out FROM generations
     WHERE left_out = {no_texts}
     ORDER BY number DESC LIMIT $1";

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM generations WHERE content = $1)";

const SOURCES: &str = "
    SELECT sealed_sources FROM generations WHERE number = $1 AND sealed_sources IS NOT NULL";

const LATEST_NUMBER: &str = "SELECT MAX(number) FROM generations";

const INSERT: &str = "
    INSERT INTO generations (number, content, applied_at, sealed_sources, left_out)
    VALUES ($1, $2, $3, $4, {texts($5)})";

/// Of the whole generation after so many later ones, and of any before it.
const FORGET_SOURCES: &str = "
    UPDATE generations SET sealed_sources = NULL
     WHERE sealed_sources IS NOT NULL
       AND number <= (SELECT number FROM generations
                       WHERE left_out = {no_texts}
                       ORDER BY number DESC LIMIT 1 OFFSET $1)";

#[async_trait]
impl Generations for Database {
    async fn latest_generation(&self) -> Result<Option<Generation>, StoreError> {
        let row: Option<GenerationRow> = self.first(Statement::of(LATEST)).await?;
        row.map(Generation::try_from).transpose()
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Result<bool, StoreError> {
        let statement = Statement::of(IS_KNOWN).bind(content.as_bytes().as_slice());
        Ok(self.first(statement).await?.is_some_and(|(is_known,)| is_known))
    }

    /// The newest first.
    async fn list_generations(&self, limit: u32) -> Result<Vec<Generation>, StoreError> {
        let rows: Vec<GenerationRow> = self.read(Statement::of(LATEST_WHOLE).bind(limit)).await?;
        rows.into_iter().map(Generation::try_from).collect()
    }

    async fn find_generation_sources(&self, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.first(Statement::of(SOURCES).bind(number)).await?;
        Ok(row.map(|(sealed,)| sealed))
    }
}

impl CommitWriter<'_> {
    pub(crate) async fn generation(&mut self) -> Result<Option<u64>, CommitError> {
        let Some(new) = &self.request.generation else { return Ok(None) };
        let row: Option<(Option<i64>,)> = self.transaction.first(Statement::of(LATEST_NUMBER)).await?;
        let latest = row.and_then(|(number,)| number);
        if latest.map(i64::unsigned_abs) != new.expected_latest {
            return Err(CommitError::StaleRevision);
        }
        let number = latest.unwrap_or(0) + 1;
        let left_out: Vec<&str> = new.left_out.iter().map(TenantId::as_str).collect();
        let insert = Statement::of(INSERT)
            .bind(number)
            .bind(new.content.as_bytes().as_slice())
            .bind(self.request.now)
            .bind(new.sealed_sources.clone())
            .bind(serde_json::json!(left_out).to_string());
        self.transaction.execute(&insert).await?;
        self.transaction.execute(&Statement::of(FORGET_SOURCES).bind(KEPT_SOURCES)).await?;
        Ok(Some(number.unsigned_abs()))
    }
}
