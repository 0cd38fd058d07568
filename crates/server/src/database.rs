//! Opens the configured store, and reads its metrics.

use std::io;
use std::path::Path;
use std::sync::Arc;

use administration::documents::FileSecret;
use gateway::Sample;
use storage::postgres::{self, PostgresOptions, Proven, Urls};
use storage::store_copy::StorePlace;
use storage::{Database, OpenError, sqlite};

use crate::file_access;
use settings::{Connections, PoolerMode, PostgresUrls, StorageLocation, files};

pub async fn open(location: &StorageLocation) -> Result<Arc<Database>, OpenError> {
    open_with(location, Connections::default()).await
}

/// Opens the store for a server, with these limits on connections.
pub(crate) async fn open_with(
    location: &StorageLocation,
    Connections { readers, writers }: Connections,
) -> Result<Arc<Database>, OpenError> {
    Ok(Arc::new(match location {
        StorageLocation::Sqlite(path) => {
            let opened = match create(path) {
                Ok(()) => sqlite::open(path).await,
                Err(cause) => Err(OpenError::Create { path: path.clone(), cause }),
            };
            opened.map_err(|error| explained(error, path, true))?
        }
        StorageLocation::Postgres(urls) => {
            let usual = PostgresOptions::default();
            let readers = readers.unwrap_or(usual.readers);
            let administrators = writers.unwrap_or(usual.administrators);
            let options = PostgresOptions { readers, administrators, ..usual };
            postgres::open(exposed(urls), options).await?
        }
    }))
}

/// Opens the store read-only. `None` if it does not exist yet.
pub async fn open_read_only(location: &StorageLocation) -> Result<Option<Arc<Database>>, OpenError> {
    let database = match location {
        StorageLocation::Sqlite(path) => {
            sqlite::open_read_only(path).await.map_err(|error| explained(error, path, false))?
        }
        StorageLocation::Postgres(urls) => {
            postgres::open_read_only(exposed(urls), PostgresOptions::default()).await?
        }
    };
    Ok(database.map(Arc::new))
}

/// Proves what the server relies on. `None` for SQLite, and without a schema.
pub async fn prove(location: &StorageLocation) -> Result<Option<Proven>, OpenError> {
    match location {
        StorageLocation::Sqlite(_) => Ok(None),
        StorageLocation::Postgres(urls) => postgres::prove(exposed(urls)).await,
    }
}

/// Both URLs in plain text, including passwords.
pub fn exposed(PostgresUrls { url, direct_url, pooler }: &PostgresUrls) -> Urls<'_> {
    Urls {
        url: url.expose(),
        direct: direct_url.as_ref().map(FileSecret::expose),
        pools_transactions: *pooler == PoolerMode::Transaction,
    }
}

/// The place of the store, for commands that open it in another way than a server.
pub fn store_place(location: &StorageLocation) -> StorePlace {
    match location {
        StorageLocation::Sqlite(path) => StorePlace::Sqlite(path.clone()),
        StorageLocation::Postgres(urls) => StorePlace::Postgres(exposed(urls).of_sessions().url.to_owned()),
    }
}

/// Creates an empty file with the owner of its folder. SQLite treats it as a new database, and its other
/// files get the same owner.
pub fn create(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    match files::create(path, b"", 0o600) {
        // Another program has just created the file.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

/// Adds the reason to an error of SQLite, which only says that the file cannot be opened.
fn explained(error: OpenError, path: &Path, writes: bool) -> OpenError {
    match file_access::denied(path, writes) {
        Some(why)
            if matches!(
                error,
                OpenError::Create { .. } | OpenError::Open { .. } | OpenError::Migrate { .. }
            ) =>
        {
            OpenError::Denied { path: path.to_owned(), why }
        }
        _ => error,
    }
}

pub(crate) fn samples(database: &Database) -> Vec<Sample> {
    let help = "SQL statements, except those of the change feed.";
    let mut samples =
        vec![Sample::counter("latchkey_store_statements_total", help, &[], database.statements())];
    if let Some((open, idle)) = database.connections() {
        let busy = u64::from(open).saturating_sub(idle as u64);
        let (name, help) = ("latchkey_store_connections", "Connections to the store.");
        samples.push(Sample::gauge(name, help, &[("state", "busy")], busy));
        samples.push(Sample::gauge(name, help, &[("state", "idle")], idle as u64));
    }
    samples
}
