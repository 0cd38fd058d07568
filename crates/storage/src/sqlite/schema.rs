//! The schema: compiled-in migrations, applied in one transaction, never to a file that a newer program has made.

use std::path::Path;
use std::sync::LazyLock;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;

use crate::migrations::migrator;
use crate::sqlite::{OpenError, search_terms};

/// The schema of this program.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator!("sqlite"));

/// Brings the schema up to date. Of several processes that start at once, one does it and the others wait for it.
pub(crate) async fn migrate(path: &Path, writer: &SqlitePool) -> Result<(), OpenError> {
    let failed = |cause| OpenError::Open { path: path.to_owned(), cause };
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let found = version(&mut transaction).await.map_err(failed)?;
    refuse_newer(path, found)?;
    MIGRATOR
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|cause| OpenError::Migrate { path: path.to_owned(), cause })?;
    if found.is_some_and(|found| found < search_terms::SINCE) {
        search_terms::add_missing(&mut transaction).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// Whether there is anything to read, in a schema that this program reads.
pub(crate) async fn is_ready(path: &Path, readers: &SqlitePool) -> Result<bool, OpenError> {
    let failed = |cause| OpenError::Open { path: path.to_owned(), cause };
    let mut connection = readers.acquire().await.map_err(failed)?;
    let found = version(&mut connection).await.map_err(failed)?;
    refuse_newer(path, found)?;
    match found {
        None => Ok(false),
        Some(found) if found < known() => {
            Err(OpenError::Older { path: path.to_owned(), found, known: known() })
        }
        Some(_) => Ok(true),
    }
}

async fn version(connection: &mut sqlx::SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    const TABLE: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query_scalar(TABLE).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(connection).await
}

fn refuse_newer(path: &Path, found: Option<i64>) -> Result<(), OpenError> {
    match found {
        Some(found) if found > known() => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: known() })
        }
        _ => Ok(()),
    }
}

fn known() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}
