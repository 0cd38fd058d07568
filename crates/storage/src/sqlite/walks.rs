//! Finds expired rows by scanning their table in the order of its key. An index by expiry would cost one more
//! page write for each row, and most rows that are written expire.

use std::collections::HashMap;

use parking_lot::Mutex;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, TypeInfo as _, ValueRef as _};
use values::Timestamp;

use crate::error::Error;
use crate::sqlite::SqlitePools;
use crate::statement::{Argument, Dialect, Statement};

/// The number of rows that one scan reads. The next scan continues after them.
const ROWS: u64 = 100_000;

/// The values of a row's primary key.
type Key = Vec<Argument>;

/// The row after which the scan of each table continues. A table without an entry is scanned from its start.
#[derive(Default)]
pub(crate) struct Walks(Mutex<HashMap<&'static str, Key>>);

impl SqlitePools {
    /// Deletes expired rows and rows that end early from the next part of the table, and returns their
    /// number. `key` lists the columns of the primary key. A part without such rows does not need the writer.
    pub(crate) async fn delete_expired(
        &self,
        table: &'static str,
        key: &'static str,
        until: Timestamp,
        early: &'static str,
        batch: u64,
    ) -> Result<u64, Error> {
        let mut deleted = 0;
        let mut after = self.walks.0.lock().remove(table);
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
        self.walks.0.lock().extend(after.map(|after| (table, after)));
        Ok(deleted)
    }

    /// The key of the last row of the batch. `None` if fewer rows than a batch are left.
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

/// Restricts the statement to the rows after `after`.
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
