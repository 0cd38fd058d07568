//! Transfers the rows from one store to the other.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;

use crate::store_copy::session::CopySession;
use crate::store_copy::sums::{Known, TableSum};
use crate::store_copy::tables::CopiedTable;
use crate::store_copy::target::CopyTarget;
use crate::store_copy::{CopyError, CopyStep, CopyStep as Step};

/// Both stores and what has been copied.
pub(super) struct Transfer<'c> {
    pub(super) source: CopySession,
    pub(super) target: CopyTarget<'c>,
    /// The tables of the source.
    pub(super) tables: Vec<CopiedTable>,
    /// The rows of the target, in the order of the tables.
    pub(super) known: Vec<(Known, TableSum)>,
    pub(super) tell: &'c (dyn Fn(CopyStep) + Sync),
}

impl Transfer<'_> {
    /// Copies all rows as of one moment.
    pub(super) async fn snapshot(&mut self) -> Result<(), CopyError> {
        self.source.begin_snapshot().await?;
        self.target.begin_empty().await?;
        let of = self.tables.len();
        for (place, table) in self.tables.iter().enumerate() {
            let failed = CopyError::from_table(&table.name);
            let (mut known, mut sum) = (Known::new(), TableSum::default());
            let mut rows = self.source.texts(table.selection(self.source.dialect()));
            while let Some(raw) = rows.try_next().await.map_err(failed)? {
                let row = sum.add(table, &raw)?;
                known.insert(row.key, row.whole);
                if self.target.write(place, row.text).await? {
                    (self.tell)(Step::Copying { table: &table.name, place, of, rows: sum.rows });
                }
            }
            drop(rows);
            self.target.flush(place).await?;
            (self.tell)(Step::Copying { table: &table.name, place, of, rows: sum.rows });
            self.known.push((known, sum));
        }
        self.source.run("COMMIT").await?;
        self.end(0..of).await
    }

    /// Copies the changes in the source since. They are kept in memory, because deletions come first.
    pub(super) async fn catch_up(&mut self) -> Result<(), CopyError> {
        self.source.begin_snapshot().await?;
        self.target.session.begin_writing().await?;
        let (mut deleted, mut written) = (Vec::new(), Vec::new());
        for (place, table) in self.tables.iter().enumerate() {
            let failed = CopyError::from_table(&table.name);
            (self.tell)(Step::Comparing { table: &table.name, place, of: self.tables.len() });
            let (known, sum) = &mut self.known[place];
            let (mut now, mut changed) = ((Known::new(), TableSum::default()), Vec::new());
            let mut rows = self.source.texts(table.selection(self.source.dialect()));
            while let Some(raw) = rows.try_next().await.map_err(failed)? {
                let row = now.1.add(table, &raw)?;
                if known.remove(&row.key) != Some(row.whole) {
                    changed.push(row.text);
                }
                now.0.insert(row.key, row.whole);
            }
            drop(rows);
            // The previous rows that are no longer there.
            if !known.is_empty() {
                let mut gone = Vec::new();
                let selection = self.target.tables[place].selection(self.target.session.dialect());
                let mut rows = self.target.session.texts(selection);
                while let Some(raw) = rows.try_next().await.map_err(failed)? {
                    let row = TableSum::default().add(table, &raw)?;
                    if known.contains_key(&row.key) {
                        gone.push(row.text);
                    }
                }
                deleted.push((place, gone));
            }
            if !changed.is_empty() {
                written.push((place, changed));
            }
            (*known, *sum) = now;
        }
        self.source.run("COMMIT").await?;
        let changed: BTreeSet<_> = deleted.iter().chain(&written).map(|(place, _)| *place).collect();
        for (place, rows) in deleted.iter().rev() {
            self.target.delete(*place, rows).await?;
        }
        for (place, rows) in written {
            for row in rows {
                self.target.write(place, row).await?;
            }
            self.target.flush(place).await?;
        }
        self.end(changed).await
    }

    /// Ends the transaction of the target after these tables are verified in it.
    async fn end(&mut self, changed: impl IntoIterator<Item = usize>) -> Result<(), CopyError> {
        let expected: Vec<_> = changed.into_iter().map(|place| (place, self.known[place].1)).collect();
        self.target.verify(&expected).await?;
        Ok(self.target.session.end_writing().await?)
    }
}
