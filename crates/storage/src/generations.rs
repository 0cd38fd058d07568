//! The generations of applied configurations, and the sealed source files of the newest generations.

use administration::declaration::fingerprint::Fingerprint;
use administration::store::{Generation, Generations, KEPT_SOURCES, NewGeneration};
use async_trait::async_trait;
use tenancy::Stored;
use values::Timestamp;

use crate::columns::given;
use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;
use crate::transaction::Transaction;

const LATEST: &str = "
    SELECT {columns(generations)} FROM generations ORDER BY number DESC LIMIT 1";

const LATEST_WHOLE: &str = "
    SELECT {columns(generations)} FROM generations
     WHERE left_out = {no_texts}
     ORDER BY number DESC LIMIT $1";

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM generations WHERE content = $1)";

const SOURCES: &str = "
    SELECT sealed_sources FROM generations WHERE number = $1 AND sealed_sources IS NOT NULL";

const LATEST_NUMBER: &str = "SELECT MAX(number) FROM generations";

const INSERT: &str = "INSERT INTO generations ({names}, sealed_sources) SELECT {names}, $2 FROM {given}";

/// Keeps the sources of the newest complete generations and deletes the sources of all older ones.
const FORGET_SOURCES: &str = "
    UPDATE generations SET sealed_sources = NULL
     WHERE sealed_sources IS NOT NULL
       AND number <= (SELECT number FROM generations
                       WHERE left_out = {no_texts}
                       ORDER BY number DESC LIMIT 1 OFFSET $1)";

#[async_trait]
impl Generations for Database {
    async fn latest_generation(&self) -> Stored<Option<Generation>> {
        Ok(self.first(Statement::from_text(LATEST)).await?)
    }

    async fn is_known_generation(&self, content: &Fingerprint) -> Stored<bool> {
        let statement = Statement::from_text(IS_KNOWN).bind(content.as_bytes().as_slice());
        Ok(self.scalar(statement).await?.unwrap_or(false))
    }

    /// Newest first.
    async fn list_generations(&self, limit: u32) -> Stored<Vec<Generation>> {
        Ok(self.read(Statement::from_text(LATEST_WHOLE).bind(limit)).await?)
    }

    async fn find_generation_sources(&self, number: u64) -> Stored<Option<Vec<u8>>> {
        Ok(self.scalar(Statement::from_text(SOURCES).bind(number)).await?)
    }
}

impl Transaction<'_> {
    /// Returns the number of the new generation.
    pub(crate) async fn add_generation(&mut self, new: &NewGeneration, now: Timestamp) -> Result<u64, Error> {
        let latest: Option<Option<u64>> = self.scalar(Statement::from_text(LATEST_NUMBER)).await?;
        let latest = latest.flatten();
        if latest != new.expected_latest {
            return Err(Error::Stale);
        }
        let number = latest.unwrap_or(0) + 1;
        let (content, left_out) = (new.content, new.left_out.clone());
        let row = Generation { number, content, applied_at: now, left_out };
        let insert = Statement::writing::<Generation>(INSERT).bind(given(&[row]));
        self.execute(&insert.bind(new.sealed_sources.clone())).await?;
        self.execute(&Statement::from_text(FORGET_SOURCES).bind(KEPT_SOURCES)).await?;
        Ok(number)
    }
}
