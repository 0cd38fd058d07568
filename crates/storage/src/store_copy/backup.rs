//! Backups consist of lines of JSON. A row is an object; all other lines are arrays: `["backup",{…}]` first,
//! `["table",NAME]` before the rows of a table, `["end",NAME,ROWS,DIGEST]` after them, and `["end"]` last.

use std::io::Write;

use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use values::Timestamp;

use crate::migrations::known;
use crate::store_copy::copy::open_source;
use crate::store_copy::marks;
use crate::store_copy::session::StorePlace;
use crate::store_copy::sums::TableSum;
use crate::store_copy::tables::tables;
use crate::store_copy::{CopyError, CopyStep};

/// The first line of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFacts {
    /// The schema version of the store.
    pub schema: i64,
    pub store: String,
    /// When the rows were read.
    pub at: Timestamp,
}

/// Writes all rows of one snapshot, while the store stays in use. The backup does not contain the keys that
/// seal the rows.
///
/// # Errors
/// [`CopyError`].
pub async fn backup(
    from: &StorePlace,
    out: &mut (dyn Write + Send),
    now: Timestamp,
    tell: &(dyn Fn(CopyStep) + Sync),
) -> Result<Vec<(String, TableSum)>, CopyError> {
    let mut source = open_source(from).await?;
    if let Some(mark) = marks::mark_of(&mut source).await? {
        return Err(crate::open_error::OpenError::Marked { database: from.shown()?, mark }.into());
    }
    let facts = BackupFacts { schema: known(&crate::sqlite::MIGRATOR), store: from.shown()?, at: now };
    let tables = tables(&mut source).await?;
    let mut sums = Vec::new();
    source.begin_snapshot().await?;
    writeln!(out, "{}", json!(["backup", facts]))?;
    for (place, table) in tables.iter().enumerate() {
        writeln!(out, "{}", json!(["table", table.name]))?;
        let mut sum = TableSum::default();
        let mut rows = source.texts(table.selection(source.dialect()));
        while let Some(raw) = rows.try_next().await.map_err(CopyError::from_table(&table.name))? {
            let row = sum.add(table, &raw)?;
            writeln!(out, "{}", row.text)?;
        }
        drop(rows);
        writeln!(out, "{}", json!(["end", table.name, sum.rows, sum.to_string()]))?;
        tell(CopyStep::Copying { table: &table.name, place, of: tables.len(), rows: sum.rows });
        sums.push((table.name.clone(), sum));
    }
    source.run("COMMIT").await?;
    writeln!(out, "{}", json!(["end"]))?;
    out.flush()?;
    Ok(sums)
}
