//! The schema. The compiled-in migrations run in one transaction. A file that a newer program has migrated is
//! refused.

use std::path::Path;
use std::sync::LazyLock;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;

use crate::migrations::{is_readable, migrator, refuse_newer};
use crate::open_error::OpenError;
use crate::sqlite::search_terms;

pub(crate) static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator!("sqlite"));

/// Migrates the schema. If several processes start at the same time, one migrates and the others wait.
pub(crate) async fn migrate(path: &Path, writer: &SqlitePool) -> Result<(), OpenError> {
    let database = path.display().to_string();
    let failed = |cause: sqlx::Error| OpenError::Open { database: database.clone(), cause: cause.into() };
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let found = version(&mut transaction).await.map_err(failed)?;
    refuse_newer(&MIGRATOR, &database, found)?;
    MIGRATOR
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|cause| OpenError::Migrate { database: database.clone(), cause })?;
    if found.is_some_and(|found| found < search_terms::SINCE) {
        search_terms::add_missing(&mut transaction).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// Whether the file has a schema, and the schema is that of this program.
pub(crate) async fn is_ready(path: &Path, readers: &SqlitePool) -> Result<bool, OpenError> {
    is_readable(&MIGRATOR, &path.display().to_string(), "the file", found(path, readers).await?)
}

/// The version of the last migration. `None` if there is no schema.
pub(crate) async fn found(path: &Path, readers: &SqlitePool) -> Result<Option<i64>, OpenError> {
    let failed =
        |cause: sqlx::Error| OpenError::Open { database: path.display().to_string(), cause: cause.into() };
    let mut connection = readers.acquire().await.map_err(failed)?;
    version(&mut connection).await.map_err(failed)
}

async fn version(connection: &mut sqlx::SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    const TABLE: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query_scalar(TABLE).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(connection).await
}
