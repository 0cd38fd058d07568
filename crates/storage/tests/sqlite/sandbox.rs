//! A database in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use storage::{Database, sqlite};
use tempfile::TempDir;
use testkit::store_contract::Stores;

/// The number of steps of a refresh family in the tests.
pub(crate) const STEPS: u32 = 100;

/// SQL for a row's settings with one additional member, and for the value of that member.
pub(crate) const ADD_NEWER_MEMBER: &str = "json_set(settings, '$.newer', 'kept')";
pub(crate) const NEWER_MEMBER: &str = "settings ->> 'newer'";

/// A database file and its temporary folder.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// Creates the folder without a file.
    pub(crate) async fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Creates the folder and opens the database.
    pub(crate) async fn opened() -> (Self, Arc<Database>) {
        let sandbox = Self::new().await;
        let database = sandbox.open().await;
        (sandbox, database)
    }

    /// A file that was migrated to this version and contains these rows.
    pub(crate) async fn at_version(version: i64, rows: &[String]) -> Self {
        let sandbox = Self::new().await;
        fs::create_dir_all(sandbox.path().parent().unwrap()).unwrap();
        let mut connection = sandbox.connect().await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
        let all = Migrator::new(folder).await.unwrap();
        let earlier = all.iter().filter(|migration| migration.version <= version).cloned().collect();
        Migrator::with_migrations(earlier).run_direct(None, &mut connection, false).await.unwrap();
        connection.close().await.unwrap();
        for sql in rows {
            sandbox.execute(sql).await;
        }
        sandbox
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data/latchkey.db")
    }

    pub(crate) async fn open(&self) -> Arc<Database> {
        Arc::new(sqlite::open(&self.path()).await.unwrap())
    }

    pub(crate) async fn stores(&self) -> Stores {
        Arc::new(sqlite::open(&self.path()).await.unwrap())
    }

    pub(crate) async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path()).create_if_missing(true);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    pub(crate) async fn define(&self, sql: &str) {
        self.execute(sql).await;
    }

    pub(crate) async fn texts(&self, select: &str) -> Vec<Option<String>> {
        sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&mut self.connect().await).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// SQL for a list of texts, as an earlier version wrote it.
pub(crate) fn list(texts: &[&str]) -> String {
    format!("'{}'", serde_json::json!(texts))
}

/// SQL for bytes.
pub(crate) fn bytes(hex: &str) -> String {
    format!("x'{hex}'")
}
