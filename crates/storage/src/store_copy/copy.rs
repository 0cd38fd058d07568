//! Copies a store while it is served: first a snapshot, then what has changed since, and at last, while writes are refused, what has changed since
//! then. Nothing serves the target before all of it is verified.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use protocol::Timestamp;
use tokio::time::sleep;

use crate::error::{Error, has_code};
use crate::statement::{Dialect, Statement};
use crate::store_copy::marks::{self, StoreMark};
use crate::store_copy::session::{Session, StorePlace};
use crate::store_copy::sums::{Known, TableSum};
use crate::store_copy::tables::{Table, tables};
use crate::store_copy::{CopyError, CopyStep, CopyStep as Step};

/// Rows that are written at once, and their bytes.
const ROWS: usize = 500;
const BYTES: usize = 1 << 20;
/// How often the locks of all tables are tried, and how long apart: writers take turns with the attempts.
const LOCK_ATTEMPTS: usize = 60;
const LOCK_PAUSE: Duration = Duration::from_millis(500);
/// The SQLSTATE of a lock that was not given in time.
const NO_LOCK: &str = "55P03";

/// A finished copy.
#[derive(Debug)]
pub struct Copied {
    /// Each table with what both stores have of it.
    pub tables: Vec<(String, TableSum)>,
    /// How long writes were refused until the target could be served.
    pub pause: Duration,
}

/// Both stores and what has been copied.
struct Copy<'c> {
    source: Session,
    target: Session,
    /// As the source has them.
    tables: Vec<Table>,
    /// The same as the target has them: a truth of one engine is a number of the other.
    written: Vec<Table>,
    /// In the order of the tables: the rows of the target.
    known: Vec<(Known, TableSum)>,
    tell: &'c (dyn Fn(CopyStep) + Sync),
}

/// Copies one store into another, and leaves the source marked as moved.
///
/// # Errors
/// [`CopyError`]. The source is served as before, but for a copy that is killed: until it is repeated or taken back, the source may be marked.
pub async fn copy(
    from: &StorePlace,
    to: &StorePlace,
    now: Timestamp,
    tell: &(dyn Fn(CopyStep) + Sync),
) -> Result<Copied, CopyError> {
    let (from_name, to_name) = (from.shown()?, to.shown()?);
    if from_name == to_name {
        return Err(CopyError::SameStore(to_name));
    }
    let mut source = open_source(from).await?;
    let was_moved = match marks::mark_of(&mut source).await? {
        Some(StoreMark::Moved(elsewhere, _)) if elsewhere != to_name => {
            return Err(CopyError::Moved { store: from_name, to: elsewhere });
        }
        Some(StoreMark::Unfinished(of)) => return Err(CopyError::Unfinished { store: from_name, of }),
        mark => mark.is_some(),
    };
    to.migrate().await?;
    let mut target = Session::open(to).await?;
    let (tables, written) = (tables(&mut source).await?, tables(&mut target).await?);
    if !tables.iter().map(Table::shape).eq(written.iter().map(Table::shape)) {
        return Err(CopyError::Schemas { from: from_name, to: to_name });
    }
    take_target(&mut target, &written, (&from_name, &to_name), now).await?;
    let mut copy = Copy { source, target, tables, written, known: Vec::new(), tell };
    copy.snapshot().await?;
    copy.catch_up().await?;
    let began = Instant::now();
    if !was_moved {
        tell(Step::RefusingWrites);
        refuse_writes(from, &to_name, now).await?;
    }
    let finished = match copy.catch_up().await {
        Ok(()) => copy.finish().await,
        Err(error) => Err(error),
    };
    if let Err(error) = finished {
        marks::take_back(&mut Session::open(from).await?).await?;
        return Err(error);
    }
    let pause = began.elapsed();
    let sums = copy.known.into_iter().map(|(_, sum)| sum);
    Ok(Copied { tables: copy.tables.into_iter().map(|table| table.name).zip(sums).collect(), pause })
}

/// Lets the source of a copy take writes again.
///
/// # Errors
/// [`CopyError`].
pub async fn take_back(from: &StorePlace) -> Result<Option<String>, CopyError> {
    let mut source = open_source(from).await?;
    let Some(StoreMark::Moved(to, _)) = marks::mark_of(&mut source).await? else { return Ok(None) };
    marks::take_back(&mut source).await?;
    Ok(Some(to))
}

/// Of the schema of this program; a store without a schema holds nothing to copy.
async fn open_source(from: &StorePlace) -> Result<Session, CopyError> {
    if !from.is_ready().await? {
        return Err(CopyError::Empty(from.shown()?));
    }
    Ok(Session::open(from).await?)
}

/// Marks a target that nothing is in, or that an unfinished copy has left.
async fn take_target(
    target: &mut Session,
    tables: &[Table],
    (from, to): (&str, &str),
    now: Timestamp,
) -> Result<(), CopyError> {
    match marks::mark_of(target).await? {
        Some(StoreMark::Unfinished(_)) => {}
        Some(StoreMark::Moved(elsewhere, _)) => {
            return Err(CopyError::Moved { store: to.to_owned(), to: elsewhere });
        }
        None => {
            begin_writing(target).await?;
            for table in tables {
                let any = Statement::of(format!("SELECT 1{} FROM {} LIMIT 1", bigint(target), table.name));
                if !target.all::<(i64,)>(any).await?.is_empty() {
                    return Err(CopyError::InUse(to.to_owned()));
                }
            }
            target.run("ROLLBACK").await?;
        }
    }
    Ok(marks::mark_unfinished(target, from, now).await?)
}

fn bigint(session: &Session) -> &'static str {
    if session.dialect() == Dialect::Postgres { "::bigint" } else { "" }
}

/// A transaction of the owner, in which all rows are seen and written.
async fn begin_writing(target: &mut Session) -> Result<(), Error> {
    match target.dialect() {
        Dialect::Sqlite => target.run("BEGIN IMMEDIATE").await,
        Dialect::Postgres => target.run("BEGIN; SELECT latchkey_force_wall(false)").await,
    }
}

async fn end_writing(target: &mut Session) -> Result<(), Error> {
    match target.dialect() {
        Dialect::Sqlite => target.run("COMMIT").await,
        Dialect::Postgres => target.run("SELECT latchkey_force_wall(true); COMMIT").await,
    }
}

/// Tries until writers leave the locks of all tables at once.
async fn refuse_writes(from: &StorePlace, to: &str, now: Timestamp) -> Result<(), CopyError> {
    let mut session = Session::open(from).await?;
    let mut attempts = 1..LOCK_ATTEMPTS;
    loop {
        match marks::mark_moved(&mut session, to, now).await {
            Err(Error::Engine(error)) if has_code(&error, NO_LOCK) && attempts.next().is_some() => {
                session.run("ROLLBACK").await?;
                sleep(LOCK_PAUSE).await;
            }
            marked => return Ok(marked?),
        }
    }
}

impl Copy<'_> {
    /// All rows of one moment.
    async fn snapshot(&mut self) -> Result<(), CopyError> {
        self.source.begin_snapshot().await?;
        begin_writing(&mut self.target).await?;
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
    async fn catch_up(&mut self) -> Result<(), CopyError> {
        self.source.begin_snapshot().await?;
        begin_writing(&mut self.target).await?;
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
        Ok(end_writing(&mut self.target).await?)
    }

    /// From here on the target may be served.
    async fn finish(&mut self) -> Result<(), CopyError> {
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::thread;

    use tenancy::StoreError;

    use super::*;

    /// Executes a text in a session of its own, in the middle of a copy.
    fn run(place: &StorePlace, text: &'static str) -> Result<(), Error> {
        let place = place.clone();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { Session::open(&place).await.unwrap().run(text).await })
        };
        thread::spawn(work).join().unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_changes_during_a_copy_is_in_it_and_nothing_changes_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from.db", "to.db"].map(|name| StorePlace::Sqlite(folder.path().join(name)));
        from.migrate().await.unwrap();
        run(
            &from,
            "INSERT INTO sealed_values VALUES ('kept', x'00', 1), ('changed', x'01', 1), ('gone', x'02', 1)",
        )
        .unwrap();
        let writes = Mutex::new(vec![
            (Step::RefusingWrites, "INSERT INTO sealed_values VALUES ('later', x'04', 1)"),
            (
                Step::Comparing { table: "accounts", place: 3, of: 37 },
                "UPDATE sealed_values SET sealed = x'03' WHERE name = 'changed'; DELETE FROM sealed_values WHERE name = 'gone'",
            ),
        ]);
        let write = |step: CopyStep<'_>| {
            let mut writes = writes.lock().unwrap();
            if writes.last().is_some_and(|(at, _)| *at == step) {
                run(&from, writes.pop().unwrap().1).unwrap();
            }
        };
        let copied = copy(&from, &to, Timestamp::from_seconds(1), &write).await.unwrap();
        assert!(writes.lock().unwrap().is_empty());
        assert!(
            copied.tables.iter().any(|(name, sum)| name == "sealed_values" && sum.rows == 3),
            "{copied:?}"
        );
        let rows = Statement::of("SELECT name, lower(hex(sealed)) FROM sealed_values ORDER BY name");
        let rows: Vec<(String, String)> = Session::open(&to).await.unwrap().all(rows).await.unwrap();
        let expected = [("changed", "03"), ("kept", "00"), ("later", "04")];
        assert_eq!(rows, expected.map(|(name, sealed)| (name.to_owned(), sealed.to_owned())));

        let refused = run(&from, "DELETE FROM sealed_values").unwrap_err();
        assert!(refused.to_string().contains("the store was moved to "), "{refused}");
        assert!(matches!(StoreError::from(refused), StoreError::Unavailable(_)));
        assert!(take_back(&from).await.unwrap().is_some_and(|to| to.ends_with("to.db")));
        run(&from, "DELETE FROM sealed_values").unwrap();
        let in_use = copy(&from, &to, Timestamp::from_seconds(1), &|_| {}).await.unwrap_err();
        assert!(matches!(in_use, CopyError::InUse(_)), "{in_use}");
    }
}
