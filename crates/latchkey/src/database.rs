//! The configured store: how it is opened, and its metrics.

use std::sync::Arc;

use gateway::Sample;
use storage::postgres::{self, PostgresOptions};
use storage::{Database, OpenError, sqlite};

use crate::health::{counter, gauge};
use settings::StorageLocation;

/// Opens the store and migrates its schema.
pub(crate) async fn open(location: &StorageLocation) -> Result<Arc<Database>, OpenError> {
    Ok(Arc::new(match location {
        StorageLocation::Sqlite(path) => sqlite::open(path).await?,
        StorageLocation::Postgres(url) => postgres::open(url.expose(), PostgresOptions::default()).await?,
    }))
}

/// Opens the store for reading; `None` where it does not exist yet.
pub(crate) async fn open_read_only(location: &StorageLocation) -> Result<Option<Arc<Database>>, OpenError> {
    let database = match location {
        StorageLocation::Sqlite(path) => sqlite::open_read_only(path).await?,
        StorageLocation::Postgres(url) => {
            postgres::open_read_only(url.expose(), PostgresOptions::default()).await?
        }
    };
    Ok(database.map(Arc::new))
}

/// The store's metrics.
pub(crate) fn samples(database: &Database) -> Vec<Sample> {
    let help = "SQL statements, without those of the change feed.";
    let mut samples = vec![counter("latchkey_store_statements_total", help, &[], database.statements())];
    if let Some((open, idle)) = database.connections() {
        let busy = u64::from(open).saturating_sub(idle as u64);
        let (name, help) = ("latchkey_store_connections", "Connections to the store.");
        samples.push(gauge(name, help, &[("state", "busy")], busy));
        samples.push(gauge(name, help, &[("state", "idle")], idle as u64));
    }
    samples
}
