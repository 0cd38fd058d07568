//! Writes a plan in one transaction. Rows travel as JSON arrays, many to a statement, so that onboarding ten thousand tenants is
//! some hundred statements. First the revisions that the plan rests on are compared and counted up, and each statement must touch as
//! many rows as it was given: otherwise nothing is written.

mod bookkeeping;
mod clients;
mod deletions;
mod keys;
mod resource_servers;
mod secrets;
mod tenants;

use administration::CommitRequest;
use administration::rows::{CommitRows, Decided, seconds};
use serde::Serialize;
use sqlx::{Sqlite, Transaction};
use tenancy::StoreError;

use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;
use crate::tables::Table;

#[cfg(test)]
pub(crate) use keys::STATEMENTS as KEY_STATEMENTS;
pub(crate) use tenants::INSERT_SEARCH_TERMS;

/// Rows in one statement: some hundred kilobytes of JSON.
const BATCH: usize = 1000;

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// Something else was written since the plan was made.
    StaleRevision,
    /// SQLite failed, or holds what cannot be read.
    Store(StoreError),
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
            // A row that was not there when the plan was made.
            Some(sqlx::error::ErrorKind::UniqueViolation) => Self::StaleRevision,
            _ => Self::Store(store_error(error)),
        }
    }
}

/// A commit under way.
struct CommitWriter<'a> {
    database: &'a SqliteDatabase,
    transaction: Transaction<'static, Sqlite>,
    request: &'a CommitRequest,
    rows: &'a CommitRows<'a>,
}

/// Writes everything and says which generation it is, if it is one.
pub(crate) async fn commit(
    database: &SqliteDatabase,
    request: &CommitRequest,
) -> Result<Option<u64>, CommitError> {
    let decided = Decided::of(request).map_err(|error| CommitError::Store(StoreError::fault(error)))?;
    let decided = decided.ok_or(CommitError::StaleRevision)?;
    let rows = CommitRows::of(request, &decided);
    let mut writer = CommitWriter { database, transaction: database.begin().await?, request, rows: &rows };
    let generation = writer.generation().await?;
    writer.revisions().await?;
    writer.tenants().await?;
    writer.resource_servers().await?;
    writer.clients().await?;
    writer.secrets().await?;
    writer.applications().await?;
    writer.keys().await?;
    writer.first_keys().await?;
    writer.deletions().await?;
    writer.tenant_metadata().await?;
    writer.previous_jwks().await?;
    writer.idempotent_answers().await?;
    writer.audit().await?;
    writer.change_log().await?;
    writer.transaction.commit().await?;
    Ok(generation)
}

impl CommitWriter<'_> {
    /// Executes the statement once per batch, with the rows as ?1, the time as ?2 and the interface as ?3, and says how many rows it
    /// touched.
    async fn each<T: Serialize>(&mut self, sql: &'static str, rows: &[T]) -> Result<u64, CommitError> {
        let mut touched = 0;
        for batch in rows.chunks(BATCH) {
            let batch = serde_json::to_string(batch).map_err(|error| sqlx::Error::Encode(error.into()))?;
            let query = sqlx::query(sql)
                .bind(batch)
                .bind(seconds(self.request.now))
                .bind(self.request.managed_by.as_str());
            let done = query.execute(self.database.counted(&mut *self.transaction)).await?;
            touched += done.rows_affected();
        }
        Ok(touched)
    }

    /// As `each`, where every row must be there and ours.
    async fn all<T: Serialize>(&mut self, sql: &'static str, rows: &[T]) -> Result<(), CommitError> {
        let touched = self.each(sql, rows).await?;
        if touched == rows.len() as u64 { Ok(()) } else { Err(CommitError::StaleRevision) }
    }
}

/// Reads the rows of a table from the JSON array.
fn upsert(table: &Table) -> String {
    // Without a condition SQLite would take the conflict clause for a join.
    table.upsert("json_each(?1) WHERE TRUE", |column, is_list| {
        format!("value {} '{column}'", if is_list { "->" } else { "->>" })
    })
}
