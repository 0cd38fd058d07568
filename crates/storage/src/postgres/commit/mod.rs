//! Writes a plan in one transaction. Rows travel as JSON arrays, many to a statement, so that onboarding ten thousand tenants is
//! some hundred statements. The plan rests on tenants at a revision, and each statement must touch as many rows as it was given:
//! otherwise nothing is written. Commits happen one after another, of all replicas together, so what one has found, no other
//! changes under it.

mod applications;
mod bookkeeping;
mod clients;
mod deletions;
mod generation;
mod keys;
mod resource_servers;
mod secrets;
mod tenants;

use administration::CommitRequest;
use administration::rows::{CommitRows, Decided, seconds};
use serde::Serialize;
use tenancy::StoreError;

use crate::postgres::PostgresDatabase;
use crate::postgres::error::store_error;
use crate::postgres::transaction::CountedTransaction;
use crate::tables::Table;

/// Rows in one statement: some hundred kilobytes of JSON.
const BATCH: usize = 1000;

/// Held until the end of the transaction. Keys that are added meanwhile do not wait for it.
pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(7810204517302012)";

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// Something else was written since the plan was made.
    StaleRevision,
    /// PostgreSQL failed, or holds what cannot be read.
    Store(StoreError),
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
            // A row that was not there when the plan was made, or one that was.
            Some(sqlx::error::ErrorKind::UniqueViolation | sqlx::error::ErrorKind::ForeignKeyViolation) => {
                Self::StaleRevision
            }
            _ => Self::Store(store_error(error)),
        }
    }
}

/// A commit under way.
struct CommitWriter<'a> {
    transaction: CountedTransaction<'a>,
    request: &'a CommitRequest,
}

/// Writes everything and says which generation it is, if it is one.
pub(crate) async fn commit(
    database: &PostgresDatabase,
    request: &CommitRequest,
) -> Result<Option<u64>, CommitError> {
    let decided = Decided::of(request).map_err(|error| CommitError::Store(StoreError::fault(error)))?;
    let decided = decided.ok_or(CommitError::StaleRevision)?;
    let rows = CommitRows::of(request, &decided);
    let mut writer = CommitWriter { transaction: database.begin().await?, request };
    writer.transaction.execute(sqlx::query(LOCK)).await?;
    let generation = writer.generation().await?;
    writer.revisions(&rows.revisions).await?;
    writer.tenants(&rows.tenants).await?;
    writer.resource_servers(&rows.resource_servers).await?;
    writer.clients(&rows.clients).await?;
    writer.secrets(&rows.secrets).await?;
    writer.applications(&rows.applications).await?;
    writer.keys(&rows.keys).await?;
    writer.first_keys().await?;
    writer.tenant_metadata(&rows.fingerprints, &rows.previous_tokens).await?;
    writer.previous_jwks(&rows.previous_jwks).await?;
    writer.deletions(&rows.tenants.deleted, &rows.clients.deleted).await?;
    writer.idempotent_answers(&rows.idempotent_answers).await?;
    writer.audit(&rows.audit).await?;
    writer.change_log(&rows.change_log).await?;
    writer.transaction.commit().await?;
    Ok(generation)
}

impl CommitWriter<'_> {
    /// Executes the statement once per batch, with the rows as $1, the time as $2 and the interface as $3, and says how many rows it
    /// touched.
    async fn each<T: Serialize>(&mut self, sql: &'static str, rows: &[T]) -> Result<u64, CommitError> {
        let mut touched = 0;
        for batch in rows.chunks(BATCH) {
            let batch = serde_json::to_string(batch).map_err(|error| sqlx::Error::Encode(error.into()))?;
            let query = sqlx::query(sql)
                .bind(batch)
                .bind(seconds(self.request.now))
                .bind(self.request.managed_by.as_str());
            touched += self.transaction.execute(query).await?;
        }
        Ok(touched)
    }

    /// As `each`, where every row must be there and ours to change.
    async fn all<T: Serialize>(&mut self, sql: &'static str, rows: &[T]) -> Result<(), CommitError> {
        let touched = self.each(sql, rows).await?;
        if touched == rows.len() as u64 { Ok(()) } else { Err(CommitError::StaleRevision) }
    }
}

/// Reads the rows of a table from the JSON array, with the types of the table.
fn upsert(table: &Table) -> String {
    let source = format!("json_populate_recordset(NULL::{}, $1::json) AS given", table.name);
    table.upsert(&source, |column, _| format!("given.{column}"))
}
