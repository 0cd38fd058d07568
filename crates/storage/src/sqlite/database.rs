//! Opening the file: what every connection is set to, who may write, and that every statement is counted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use tenancy::StoreError;
use tokio::time::timeout;

use crate::sqlite::OpenError;
use crate::sqlite::schema;
use crate::sqlite::statements::Counted;

/// How long the lookup of a request may take before its caller is told that the store is too busy.
const LOOKUP_WAIT: Duration = Duration::from_millis(250);
/// How long everything else waits for a connection. On a crowded machine opening one takes longer than a request would wait.
const READER_WAIT: Duration = Duration::from_secs(5);
/// How long a writer waits for the writers before it, here and in other processes.
const WRITER_WAIT: Duration = Duration::from_secs(5);
/// Each reader is a thread and a page cache of its own.
const READERS: u32 = 4;

/// A database file.
#[derive(Debug)]
pub struct SqliteDatabase {
    path: PathBuf,
    readers: SqlitePool,
    writer: SqlitePool,
    statements: AtomicU64,
}

impl SqliteDatabase {
    /// Opens the file, for its owner only if it has to be made, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], and nothing is changed in a file whose schema is newer than this program.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let path = path.to_owned();
        create(&path).map_err(|cause| OpenError::Create { path: path.clone(), cause })?;
        let options = options(&path);
        let failed = |cause| OpenError::Open { path: path.clone(), cause };
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WRITER_WAIT * 2)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().journal_mode(SqliteJournalMode::Wal))
            .await
            .map_err(failed)?;
        schema::migrate(&path, &writer).await?;
        let readers = readers().connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self { path, readers, writer, statements: AtomicU64::new(0) })
    }

    /// Opens the file for reading only. Where there is no file, or nothing was ever put into it, there is nothing to open.
    ///
    /// # Errors
    /// [`OpenError`], also when the schema is not this program's: bringing it up to date would be writing.
    pub async fn open_read_only(path: &Path) -> Result<Option<Self>, OpenError> {
        let path = path.to_owned();
        if !path.exists() {
            return Ok(None);
        }
        let failed = |cause| OpenError::Open { path: path.clone(), cause };
        // A reader makes a log and an index beside the file, unless it is told that nobody writes; without a log, nobody does.
        let quiet = !log_of(&path).exists();
        let options = options(&path).read_only(true).immutable(quiet);
        let pool = readers().connect_with(options).await.map_err(failed)?;
        if !schema::is_ready(&path, &pool).await? {
            return Ok(None);
        }
        Ok(Some(Self { path, readers: pool.clone(), writer: pool, statements: AtomicU64::new(0) }))
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many statements requests have cost so far: a warm token request must cost none. The change feed has its own connection
    /// and is not counted.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Closes all connections and folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(crate) fn read(&self) -> Counted<'_, &SqlitePool> {
        Counted::new(&self.readers, &self.statements)
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.begin_with(&self.writer, "BEGIN IMMEDIATE").await
    }

    /// Several reads of one moment.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.begin_with(&self.readers, "BEGIN DEFERRED").await
    }

    pub(crate) fn counted<E>(&self, executor: E) -> Counted<'_, E> {
        Counted::new(executor, &self.statements)
    }

    /// For a connection of its own that only reads.
    pub(crate) fn reader_options(&self) -> SqliteConnectOptions {
        options(&self.path).pragma("query_only", "ON")
    }

    /// Taking the lock first, rather than on the first write, means that a busy database is waited for and never found out halfway.
    async fn begin_with(
        &self,
        pool: &SqlitePool,
        sql: &'static str,
    ) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        pool.begin_with(sql).await
    }
}

/// Bounds the lookup of a request.
pub(crate) async fn promptly<T>(
    lookup: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let too_long = |_| Err(StoreError::unavailable("the lookup took longer than 250 ms"));
    timeout(LOOKUP_WAIT, lookup).await.unwrap_or_else(too_long)
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn readers() -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(READER_WAIT)
}

/// `FULL` because an answered change must survive a power cut.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(WRITER_WAIT)
}

/// Makes folder and file. The log and index beside the file take its mode.
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
