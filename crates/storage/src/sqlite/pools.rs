//! Opens the file: the settings of every connection, one writer and several readers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grants::AuthorizationCode;
use registry::SingleUseIdentifier;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Sqlite, SqlitePool};
use tenancy::{StoreError, TenantId, Turn};
use tokio::time::{sleep, timeout};

use crate::database::{Database, DatabaseEngine};
use crate::error::{Error, has_code};
use crate::one_time::Used;
use crate::open_error::OpenError;
use crate::row::DatabaseRow;
use crate::sqlite::walks::Walks;
use crate::sqlite::{Groups, schema};
use crate::statement::{Dialect, Statement};
use crate::store_turns::StoreTurns;
use crate::transaction::{Open, Transaction, TransactionPurpose};

/// How long the lookup of a request may take before its caller gets an error.
const LOOKUP_WAIT: Duration = Duration::from_millis(250);
/// How long all other work waits for a connection. On an overloaded machine, opening a connection can take
/// longer than a request would wait.
const READER_WAIT: Duration = Duration::from_secs(5);
/// How long a writer waits for other writers, in this and in other processes.
const WRITER_WAIT: Duration = Duration::from_secs(5);
/// How long a tenant waits for its turn at this process's writer.
const WRITER_TURN: Duration = Duration::from_secs(10);
/// The interval and the number of attempts while another program switches a new file to the write-ahead log.
/// Together they are as long as [`WRITER_WAIT`].
const SWITCH_WAIT: Duration = Duration::from_millis(100);
const SWITCH_WAITS: u32 = 50;
/// The result code `SQLITE_BUSY`.
const LOCKED: &str = "5";
/// Takes the write lock at the beginning instead of at the first write. So a writer waits for a busy database
/// at the beginning and never fails halfway. No other commit runs while it has the lock.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// KiB; a negative number is SQLite's notation for KiB. Sign-ins and assertions write to random places of
/// their tables, and a page that is not in this cache must be read first.
const WRITER_CACHE: &str = "-16000";
/// The number of pages in the write-ahead log after which they are copied into the file: 32 MiB. A page that
/// was written several times by then is copied once.
const CHECKPOINT: &str = "8000";
/// Each reader has its own thread and page cache.
const READERS: u32 = 4;

pub(crate) struct SqlitePools {
    pub(crate) path: PathBuf,
    pub(super) readers: SqlitePool,
    pub(crate) writer: SqlitePool,
    /// A pool with one connection for the change log. The polled version number differs between connections.
    pub(crate) feed: SqlitePool,
    pub(crate) uses: Groups<(TenantId, SingleUseIdentifier)>,
    pub(crate) redemptions: Groups<Used<AuthorizationCode>>,
    pub(super) walks: Walks,
    turns: StoreTurns,
    lookup_wait: Duration,
}

/// Opens the file and migrates its schema. A new file is readable only for its owner.
///
/// # Errors
/// [`OpenError`]. A file whose schema is newer than this program is not changed.
pub async fn open(path: &Path) -> Result<Database, OpenError> {
    open_waiting(path, LOOKUP_WAIT).await
}

/// Like [`open`], with the given time limit for lookups of requests.
///
/// # Errors
/// The errors of [`open`].
pub async fn open_waiting(path: &Path, lookup_wait: Duration) -> Result<Database, OpenError> {
    let writer = migrated(path).await?;
    let (path, reading) = (path.to_owned(), options(path).pragma("query_only", "ON"));
    let (readers, feed) = (readers().connect_lazy_with(reading.clone()), one().connect_lazy_with(reading));
    let pools = SqlitePools::new(path, readers, writer, feed);
    Database::from(DatabaseEngine::Sqlite(SqlitePools { lookup_wait, ..pools })).refusing_marked().await
}

/// Creates the file if necessary and migrates its schema.
async fn migrated(path: &Path) -> Result<SqlitePool, OpenError> {
    create(path).map_err(|cause| OpenError::Create { path: path.to_owned(), cause })?;
    let failed =
        |cause: sqlx::Error| OpenError::Open { database: path.display().to_string(), cause: cause.into() };
    let writer = writer(owner_options(path)).await.map_err(failed)?;
    schema::migrate(path, &writer).await?;
    Ok(writer)
}

/// Only migrates the schema.
pub(crate) async fn migrate(path: &Path) -> Result<(), OpenError> {
    migrated(path).await?.close().await;
    Ok(())
}

/// The options of a connection that writes.
pub(crate) fn owner_options(path: &Path) -> SqliteConnectOptions {
    options(path).journal_mode(SqliteJournalMode::Wal).pragma("cache_size", WRITER_CACHE)
}

/// Opens the file read-only. Returns `None` if there is no file, or if the file was never used.
///
/// # Errors
/// [`OpenError`], also if the schema is older than this program: a migration would write.
pub async fn open_read_only(path: &Path) -> Result<Option<Database>, OpenError> {
    let Some(pool) = readers_of(path).await? else { return Ok(None) };
    let pools = SqlitePools::new(path.to_owned(), pool.clone(), pool.clone(), pool);
    Database::from(DatabaseEngine::Sqlite(pools)).refusing_marked().await.map(Some)
}

/// The readers of a file, if it has this program's schema.
async fn readers_of(path: &Path) -> Result<Option<SqlitePool>, OpenError> {
    let Some(pool) = readers_of_any(path).await? else { return Ok(None) };
    Ok(schema::is_ready(path, &pool).await?.then_some(pool))
}

/// The file's schema version. `None` if there is no schema.
pub(crate) async fn schema_of(path: &Path) -> Result<Option<i64>, OpenError> {
    let Some(pool) = readers_of_any(path).await? else { return Ok(None) };
    schema::found(path, &pool).await
}

async fn readers_of_any(path: &Path) -> Result<Option<SqlitePool>, OpenError> {
    let failed =
        |cause: sqlx::Error| OpenError::Open { database: path.display().to_string(), cause: cause.into() };
    if !path.try_exists().map_err(|cause| failed(cause.into()))? {
        return Ok(None);
    }
    // A reader creates the log and the index next to the file, unless the file is declared immutable. If
    // there is no log, no program is writing the file, so it can be declared immutable.
    let is_immutable = !log_of(path).exists();
    let options = options(path).read_only(true).immutable(is_immutable);
    readers().connect_with(options).await.map(Some).map_err(failed)
}

impl SqlitePools {
    fn new(path: PathBuf, readers: SqlitePool, writer: SqlitePool, feed: SqlitePool) -> Self {
        let (uses, redemptions, walks) = (Groups::default(), Groups::default(), Walks::default());
        let turns = StoreTurns::new(READERS, 1);
        Self { path, readers, writer, feed, uses, redemptions, walks, turns, lookup_wait: LOOKUP_WAIT }
    }

    pub(crate) async fn look_up(
        &self,
        statement: &Statement,
        statements: &AtomicU64,
    ) -> Result<Vec<DatabaseRow>, Error> {
        statements.fetch_add(1, Ordering::Relaxed);
        let wait = self.lookup_wait;
        let too_long =
            |_| StoreError::unavailable(format!("the lookup took longer than {} ms", wait.as_millis()));
        timeout(wait, self.read(statement)).await.map_err(too_long)?
    }

    pub(crate) async fn read(&self, statement: &Statement) -> Result<Vec<DatabaseRow>, Error> {
        let _turn = self.turns.reader(statement.tenant(), READER_WAIT).await?;
        let rows = statement.bound::<Sqlite>(Dialect::Sqlite).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(DatabaseRow::Sqlite).collect())
    }

    /// Executes one write outside of an explicit transaction. Each statement is a switch to SQLite's thread,
    /// so separate statements for BEGIN and COMMIT would cost as much as the write.
    pub(crate) async fn write(&self, statement: &Statement) -> Result<Vec<DatabaseRow>, Error> {
        let _turn = self.turns.writer(statement.tenant(), WRITER_TURN).await?;
        let rows = statement.bound::<Sqlite>(Dialect::Sqlite).fetch_all(&self.writer).await?;
        Ok(rows.into_iter().map(DatabaseRow::Sqlite).collect())
    }

    pub(crate) async fn begin(
        &self,
        purpose: TransactionPurpose<'_>,
    ) -> Result<(sqlx::Transaction<'static, Sqlite>, Option<Turn>), Error> {
        let tenant = purpose.tenant();
        match purpose {
            TransactionPurpose::Reads(_) => {
                let turn = self.turns.reader(tenant, READER_WAIT).await?;
                Ok((self.readers.begin_with("BEGIN DEFERRED").await?, turn))
            }
            TransactionPurpose::Writes
            | TransactionPurpose::Commit
            | TransactionPurpose::CommitOf(_)
            | TransactionPurpose::DeletionOf(_)
            | TransactionPurpose::WritesOf(_) => {
                let turn = self.turns.writer(tenant, WRITER_TURN).await?;
                Ok((self.writer.begin_with(BEGIN).await?, turn))
            }
        }
    }

    /// Closes all connections and merges the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.feed.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

pub(crate) async fn begin<'d>(
    writer: &SqlitePool,
    statements: &'d AtomicU64,
) -> Result<Transaction<'d>, Error> {
    statements.fetch_add(1, Ordering::Relaxed);
    Ok(Transaction::new(
        Open::Sqlite(writer.begin_with(BEGIN).await?),
        None,
        TransactionPurpose::Writes,
        statements,
    ))
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Opens the writer, which switches a new file to the write-ahead log. If another program does so at the same
/// time, SQLite reports that the file is locked instead of waiting, so this tries again.
async fn writer(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let mut waits = 0..SWITCH_WAITS;
    loop {
        let pool = replacing_ended(one()).acquire_timeout(WRITER_TURN).connect_with(options.clone()).await;
        match pool {
            Err(error) if has_code(&error, LOCKED) && waits.next().is_some() => sleep(SWITCH_WAIT).await,
            opened => return opened,
        }
    }
}

/// Closes a connection whose transaction SQLite itself has rolled back, for example because the disk is full.
/// sqlx still counts that transaction and could not begin a new one.
fn replacing_ended(pool: SqlitePoolOptions) -> SqlitePoolOptions {
    // A returned connection was already pinged, so its rollback is complete. Another ping before each use
    // would only cost a switch of threads.
    pool.test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

/// A pool that opens one connection and keeps it.
fn one() -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None)
}

fn readers() -> SqlitePoolOptions {
    replacing_ended(SqlitePoolOptions::new()).max_connections(READERS).acquire_timeout(READER_WAIT)
}

/// `FULL`, because a change that was acknowledged must survive a power failure.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", CHECKPOINT)
        .busy_timeout(WRITER_WAIT)
}

/// Creates the folder and the file. The log and the index get the same mode as the file.
fn create(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn full_disk_fails_only_the_current_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latchkey.db");
        create(&path).unwrap();
        let writer = writer(options(&path)).await.unwrap();
        let run = |statement: &'static str| sqlx::query(statement).execute(&writer);
        run("CREATE TABLE t (content BLOB)").await.unwrap();
        run("PRAGMA max_page_count = 1").await.unwrap();
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let full = sqlx::query("INSERT INTO t VALUES (zeroblob(1000000))").execute(&mut *transaction).await;
        assert!(full.unwrap_err().to_string().contains("full"));
        drop(transaction);
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query("INSERT INTO t VALUES (1)").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }
}
