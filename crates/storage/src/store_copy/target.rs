//! The store that rows are written into, as its owner, until all of it is verified.

use values::Timestamp;

use crate::statement::{Dialect, Statement};
use crate::store_copy::marks;
use crate::store_copy::session::{CopySession, StorePlace};
use crate::store_copy::sums::TableSum;
use crate::store_copy::tables::{CopiedTable, tables};
use crate::store_copy::{CopyError, CopyStep};
use crate::store_mark::StoreMark;

/// Rows that are written at once, and their bytes.
const ROWS: usize = 500;
const BYTES: usize = 1 << 20;

/// An open target.
pub(super) struct CopyTarget<'c> {
    pub(super) session: CopySession,
    /// The tables of its engine: a boolean of one engine is a number of the other.
    pub(super) tables: Vec<CopiedTable>,
    tell: &'c (dyn Fn(CopyStep) + Sync),
    /// Rows of one table that wait to be written.
    batch: Vec<String>,
    bytes: usize,
}

impl<'c> CopyTarget<'c> {
    /// Takes a store that nothing is in, or that an unfinished copy has left, and marks it.
    pub(super) async fn take(
        place: &StorePlace,
        from: &str,
        now: Timestamp,
        tell: &'c (dyn Fn(CopyStep) + Sync),
    ) -> Result<Self, CopyError> {
        place.migrate().await?;
        let mut session = CopySession::open(place).await?;
        let tables = tables(&mut session).await?;
        match marks::mark_of(&mut session).await? {
            Some(StoreMark::Unfinished(_)) => {}
            Some(StoreMark::Moved(elsewhere, _)) => {
                return Err(CopyError::Moved { store: place.shown()?, to: elsewhere });
            }
            None => {
                session.begin_writing().await?;
                for table in &tables {
                    if table.has_rows(&mut session).await? {
                        return Err(CopyError::InUse(place.shown()?));
                    }
                }
                session.run("ROLLBACK").await?;
            }
        }
        marks::mark_unfinished(&mut session, from, now).await?;
        Ok(Self { session, tables, tell, batch: Vec::new(), bytes: 0 })
    }

    /// Begins anew.
    pub(super) async fn begin_empty(&mut self) -> Result<(), CopyError> {
        self.session.begin_writing().await?;
        for table in self.tables.iter().rev() {
            self.session.run(format!("DELETE FROM {}", table.name)).await?;
        }
        Ok(())
    }

    /// Writes a row of this table, together with those after it. Returns whether they were many enough to be
    /// written at once.
    pub(super) async fn write(&mut self, place: usize, row: String) -> Result<bool, CopyError> {
        self.bytes += row.len();
        self.batch.push(row);
        let is_full = self.batch.len() == ROWS || self.bytes > BYTES;
        if is_full {
            self.flush(place).await?;
        }
        Ok(is_full)
    }

    /// After the last row of a table.
    pub(super) async fn flush(&mut self, place: usize) -> Result<(), CopyError> {
        let (table, dialect) = (&self.tables[place], self.session.dialect());
        if !self.batch.is_empty() {
            let insertion = table.insertion(dialect, &self.batch);
            self.session.execute(&insertion).await.map_err(CopyError::from_table(&table.name))?;
        }
        self.batch.clear();
        self.bytes = 0;
        Ok(())
    }

    pub(super) async fn delete(&mut self, place: usize, rows: &[String]) -> Result<(), CopyError> {
        let table = &self.tables[place];
        for batch in rows.chunks(ROWS) {
            self.session.execute(&table.deletion(batch)).await.map_err(CopyError::from_table(&table.name))?;
        }
        Ok(())
    }

    /// Compares what was written into these tables with what it should be.
    pub(super) async fn verify(&mut self, expected: &[(usize, TableSum)]) -> Result<(), CopyError> {
        // Triggers have counted the clients as they were written.
        const COUNTED: &str = "
            UPDATE tenants SET client_count = c.clients
              FROM (SELECT t.tenant_id, (SELECT COUNT(*) FROM clients
                                          WHERE clients.tenant_id = t.tenant_id AND retired_at IS NULL AND deleted_at IS NULL)
                           AS clients
                      FROM tenants t) c
             WHERE c.tenant_id = tenants.tenant_id AND client_count <> c.clients";
        self.session.run(COUNTED).await?;
        for (place, expected) in expected {
            let table = &self.tables[*place];
            (self.tell)(CopyStep::Verifying { table: &table.name, place: *place, of: self.tables.len() });
            let found =
                TableSum::new(&mut self.session, table).await.map_err(CopyError::from_table(&table.name))?;
            if found != *expected {
                let table = table.name.clone();
                return Err(CopyError::Differs { table, found: found.rows, expected: expected.rows });
            }
        }
        Ok(())
    }

    /// Takes the mark away: from here on the target may be served.
    pub(super) async fn finish(&mut self) -> Result<(), CopyError> {
        if self.session.dialect() == Dialect::Postgres {
            const NEXT: &str = "
                SELECT setval(pg_get_serial_sequence('applications', 'position'), COALESCE(MAX(position), 0) + 1, false)
                  FROM applications";
            self.session.begin_writing().await?;
            self.session.run(NEXT).await?;
            self.session.end_writing().await?;
        }
        let begin_history = match self.session.dialect() {
            Dialect::Sqlite => "UPDATE store_history SET incarnation = random()",
            Dialect::Postgres => "SELECT latchkey_begin_history()",
        };
        self.session.run(begin_history).await?;
        Ok(marks::finish(&mut self.session).await?)
    }
}

impl CopiedTable {
    async fn has_rows(&self, session: &mut CopySession) -> Result<bool, CopyError> {
        let one = if session.dialect() == Dialect::Postgres { "1::bigint" } else { "1" };
        let any = Statement::from_text(format!("SELECT {one} FROM {} LIMIT 1", self.name));
        Ok(!session.all::<(i64,)>(any).await?.is_empty())
    }
}
