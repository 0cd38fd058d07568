//! The rows on their way from one store to the other.

use futures_util::TryStreamExt as _;

use crate::statement::Dialect;
use crate::store_copy::marks;
use crate::store_copy::session::Session;
use crate::store_copy::sums::{Known, TableSum};
use crate::store_copy::tables::Table;
use crate::store_copy::{CopyError, CopyStep, CopyStep as Step};

/// Rows that are written at once, and their bytes.
const ROWS: usize = 500;
const BYTES: usize = 1 << 20;

/// Both stores and what has been copied.
pub(super) struct Transfer<'c> {
    pub(super) source: Session,
    pub(super) target: Session,
    /// As the source has them.
    pub(super) tables: Vec<Table>,
    /// The same as the target has them: a truth of one engine is a number of the other.
    pub(super) written: Vec<Table>,
    /// In the order of the tables: the rows of the target.
    pub(super) known: Vec<(Known, TableSum)>,
    pub(super) tell: &'c (dyn Fn(CopyStep) + Sync),
}

impl Transfer<'_> {
    /// All rows of one moment.
    pub(super) async fn snapshot(&mut self) -> Result<(), CopyError> {
        self.source.begin_snapshot().await?;
        self.target.begin_writing().await?;
        for table in self.tables.iter().rev() {
            self.target.run(format!("DELETE FROM {}", table.name)).await?;
        }
        for (place, table) in self.tables.iter().enumerate() {
            let failed = CopyError::of(&table.name);
            let (mut known, mut sum) = (Known::new(), TableSum::default());
            let dialect = self.target.dialect();
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut rows = self.source.texts(table.selection(self.source.dialect()));
            while let Some(raw) = rows.try_next().await.map_err(failed)? {
                let row = sum.add(table, &raw)?;
                known.insert(row.key, row.whole);
                bytes += row.text.len();
                batch.push(row.text);
                if batch.len() == ROWS || bytes > BYTES {
                    self.target
                        .execute(&self.written[place].insertion(dialect, &batch))
                        .await
                        .map_err(failed)?;
                    (self.tell)(Step::Copying {
                        table: &table.name,
                        place,
                        of: self.tables.len(),
                        rows: sum.rows,
                    });
                    batch.clear();
                    bytes = 0;
                }
            }
            drop(rows);
            if !batch.is_empty() {
                self.target.execute(&self.written[place].insertion(dialect, &batch)).await.map_err(failed)?;
            }
            (self.tell)(Step::Copying { table: &table.name, place, of: self.tables.len(), rows: sum.rows });
            self.known.push((known, sum));
        }
        self.source.run("COMMIT").await?;
        self.end(&(0..self.tables.len()).collect::<Vec<_>>()).await
    }

    /// What has changed in the source since. It is kept in memory: deletions go first, those of other tables' rows last.
    pub(super) async fn catch_up(&mut self) -> Result<(), CopyError> {
        self.source.begin_snapshot().await?;
        self.target.begin_writing().await?;
        let (mut deleted, mut written) = (Vec::new(), Vec::new());
        for (place, table) in self.tables.iter().enumerate() {
            let failed = CopyError::of(&table.name);
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
            // What is left of those that were known.
            if !known.is_empty() {
                let mut gone = Vec::new();
                let written = &self.written[place];
                let mut rows = self.target.texts(written.selection(self.target.dialect()));
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
        for (place, rows) in deleted.iter().rev() {
            let table = &self.written[*place];
            for batch in rows.chunks(ROWS) {
                self.target.execute(&table.deletion(batch)).await.map_err(CopyError::of(&table.name))?;
            }
        }
        for (place, rows) in &written {
            let table = &self.written[*place];
            for batch in rows.chunks(ROWS) {
                let insertion = table.insertion(self.target.dialect(), batch);
                self.target.execute(&insertion).await.map_err(CopyError::of(&table.name))?;
            }
        }
        let mut changed: Vec<_> = deleted.iter().chain(&written).map(|(place, _)| *place).collect();
        changed.sort_unstable();
        changed.dedup();
        self.end(&changed).await
    }

    /// Ends the transaction of the target after these tables are verified in it.
    async fn end(&mut self, changed: &[usize]) -> Result<(), CopyError> {
        // Triggers have counted the clients as they were written.
        const COUNTED: &str = "
            UPDATE tenants SET client_count = c.clients
              FROM (SELECT t.tenant_id, (SELECT COUNT(*) FROM clients
                                          WHERE clients.tenant_id = t.tenant_id AND retired_at IS NULL AND deleted_at IS NULL)
                           AS clients
                      FROM tenants t) c
             WHERE c.tenant_id = tenants.tenant_id AND client_count <> c.clients";
        self.target.run(COUNTED).await?;
        for place in changed {
            let table = &self.written[*place];
            (self.tell)(Step::Verifying { table: &table.name, place: *place, of: self.tables.len() });
            let found = TableSum::of(&mut self.target, table).await.map_err(CopyError::of(&table.name))?;
            let expected = self.known[*place].1;
            if found != expected {
                let table = table.name.clone();
                return Err(CopyError::Differs { table, found: found.rows, expected: expected.rows });
            }
        }
        Ok(self.target.end_writing().await?)
    }

    /// From here on the target may be served.
    pub(super) async fn finish(&mut self) -> Result<(), CopyError> {
        if self.target.dialect() == Dialect::Postgres {
            const NEXT: &str = "
                SELECT setval(pg_get_serial_sequence('applications', 'position'), COALESCE(MAX(position), 0) + 1, false)
                  FROM applications";
            self.target.run(format!("BEGIN; SELECT latchkey_force_wall(false); {NEXT}; SELECT latchkey_force_wall(true); COMMIT"))
                .await?;
        }
        Ok(marks::finish(&mut self.target).await?)
    }
}
