//! Writes a plan in one transaction. Rows travel as JSON arrays, many to a statement, so that onboarding ten thousand tenants is
//! some hundred statements. The rows that a plan changes are compared with what it rests on, and each statement must touch as many
//! rows as it was given: otherwise nothing is written.

mod books;
mod clients;
mod resource_servers;
mod secrets;
mod tenants;
mod unchanged;

use administration::{ChangeKind, CommitRequest, RowChange};
use serde::Serialize;
use sqlx::{Sqlite, Transaction};
use tenancy::StoreError;

use crate::SqliteDatabase;
use crate::column::seconds;
use crate::error::store_error;

/// Rows in one statement: some hundred kilobytes of JSON.
const BATCH: usize = 1000;

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// Something else was written since the plan was made.
    Superseded,
    /// SQLite failed, or holds what cannot be read.
    Store(StoreError),
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(sqlx::error::DatabaseError::kind) {
            // A row that was not there when the plan was made.
            Some(sqlx::error::ErrorKind::UniqueViolation) => Self::Superseded,
            _ => Self::Store(store_error(error)),
        }
    }
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A commit under way.
struct Writing<'a> {
    database: &'a SqliteDatabase,
    transaction: Transaction<'static, Sqlite>,
    request: &'a CommitRequest,
}

/// Writes everything and says which generation it is, if it is one.
pub(crate) async fn commit(
    database: &SqliteDatabase,
    request: &CommitRequest,
) -> Result<Option<u64>, CommitError> {
    let mut writing = Writing { database, transaction: database.begin().await?, request };
    let generation = writing.generation().await?;
    writing.unchanged_rows().await?;
    writing.tenants().await?;
    writing.resource_servers().await?;
    writing.clients().await?;
    writing.secrets().await?;
    writing.first_keys().await?;
    writing.marks().await?;
    writing.audit().await?;
    writing.change_log().await?;
    writing.transaction.commit().await?;
    Ok(generation)
}

impl Writing<'_> {
    /// Executes the statement once per batch, with the rows as ?1, the time as ?2 and the door as ?3, and says how many rows it
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
        if touched == rows.len() as u64 { Ok(()) } else { Err(CommitError::Superseded) }
    }
}

/// Rows by what happens to them.
struct ByKind<'a, T> {
    added: Vec<&'a T>,
    changed: Vec<&'a T>,
    retired: Vec<&'a T>,
}

fn by_kind<'a, T: 'a>(changes: impl Iterator<Item = &'a RowChange<T>>) -> ByKind<'a, T> {
    let mut sorted = ByKind { added: Vec::new(), changed: Vec::new(), retired: Vec::new() };
    for change in changes {
        match change.kind {
            ChangeKind::Added => sorted.added.push(change.after.as_ref()),
            // A row that is restored is written as a changed one is: both end as declared and serving.
            ChangeKind::Changed | ChangeKind::Restored => sorted.changed.push(change.after.as_ref()),
            ChangeKind::Retired => sorted.retired.push(change.after.as_ref()),
        }
    }
    sorted
}
