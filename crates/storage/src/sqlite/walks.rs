//! Finds expired rows by scanning their table in the order of its key. An index by expiry would be one more
//! page to write for each row, and most written rows expire.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, TypeInfo as _, ValueRef as _};
use values::Timestamp;

use crate::error::Error;
use crate::sqlite::SqlitePools;
use crate::statement::{Argument, Dialect, Statement};

/// The rows that one scan reads. The next one continues after them.
const ROWS: u64 = 100_000;

/// The columns of a row's key.
type Key = Vec<Argument>;

/// The row after which each table's scan continues. The scan of a table without one begins anew.
#[derive(Default)]
pub(crate) struct Walks(Mutex<HashMap<&'static str, Key>>);

impl Walks {
    fn places(&self) -> MutexGuard<'_, HashMap<&'static str, Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SqlitePools {
    /// Deletes the rows of the next part of a table that had expired by then, or end early, and returns their
    /// number. These columns are the table's key. A batch without expired rows does not need the writer.
    pub(crate) async fn delete_expired(
        &self,
        table: &'static str,
        key: &'static str,
        until: Timestamp,
        early: &'static str,
        batch: u64,
    ) -> Result<u64, Error> {
        let mut deleted = 0;
        let mut after = self.walks.places().remove(table);
        for _ in 0..ROWS / batch {
            let end = self.end_of_batch(table, key, after.as_ref(), batch).await?;
            let expired = format!("FROM {table} WHERE (expires_at <= $1 OR ({early}))");
            let of_batch = |text: String| {
                let statement = behind(Statement::from_text(text).bind(until), key, after.as_ref());
                match &end {
                    Some(end) => statement.push_row(&format!(" AND ({key}) <= ?"), end.clone()),
                    None => statement,
                }
            };
            if !self.read(&of_batch(format!("SELECT 1 {expired}")).push(" LIMIT ?", 1_i64)).await?.is_empty()
            {
                let delete = of_batch(format!("DELETE {expired}"));
                let done = delete.bound::<Sqlite>(Dialect::Sqlite).execute(&self.writer).await?;
                deleted += done.rows_affected();
            }
            let Some(end) = end else { return Ok(deleted) };
            after = Some(end);
        }
        self.walks.places().extend(after.map(|after| (table, after)));
        Ok(deleted)
    }

    /// The key of the last row of a batch, which the rest of the table may not fill.
    async fn end_of_batch(
        &self,
        table: &str,
        key: &str,
        after: Option<&Key>,
        batch: u64,
    ) -> Result<Option<Key>, Error> {
        let select =
            behind(Statement::from_text(format!("SELECT {key} FROM {table} WHERE TRUE")), key, after);
        let select = select.push(&format!(" ORDER BY {key} LIMIT 1 OFFSET ?"), batch - 1);
        let row = select.bound::<Sqlite>(Dialect::Sqlite).fetch_optional(&self.readers).await?;
        row.map(|row| (0..row.len()).map(|place| column(&row, place)).collect()).transpose()
    }
}

/// The rows after this one.
fn behind(statement: Statement, key: &str, after: Option<&Key>) -> Statement {
    match after {
        Some(after) => statement.push_row(&format!(" AND ({key}) > ?"), after.clone()),
        None => statement,
    }
}

fn column(row: &SqliteRow, place: usize) -> Result<Argument, Error> {
    Ok(match row.try_get_raw(place)?.type_info().name() {
        "INTEGER" => Argument::Integer(row.try_get(place)?),
        "BLOB" => Argument::Bytes(row.try_get(place)?),
        _ => Argument::Text(row.try_get(place)?),
    })
}
