//! The configured store, behind the traits that all other code uses.

use std::sync::Arc;

use administration::AdministrationStore;
use gateway::Sample;
use storage::postgres::{self, PostgresOptions};
use storage::{ChangeFeed, sqlite};
use tenancy::StoreError;

use crate::health::{StoreSamples, counter, gauge};
use crate::settings::StorageLocation;
use crate::start_error::StartError;

/// An open store.
#[derive(Clone)]
pub(crate) struct Database(Arc<storage::Database>);

impl Database {
    /// Opens the store and migrates its schema.
    pub(crate) async fn open(location: &StorageLocation) -> Result<Self, StartError> {
        let database = match location {
            StorageLocation::Sqlite(path) => sqlite::open(path).await?,
            StorageLocation::Postgres(url) => {
                postgres::open(url.expose(), PostgresOptions::default()).await?
            }
        };
        Ok(Self(Arc::new(database)))
    }

    /// Opens the store for reading; `None` where it does not exist yet.
    pub(crate) async fn open_read_only(location: &StorageLocation) -> Result<Option<Self>, StartError> {
        let database = match location {
            StorageLocation::Sqlite(path) => sqlite::open_read_only(path).await?,
            StorageLocation::Postgres(url) => {
                postgres::open_read_only(url.expose(), PostgresOptions::default()).await?
            }
        };
        Ok(database.map(|database| Self(Arc::new(database))))
    }

    /// The rows that requests need.
    pub(crate) fn rows(&self) -> Arc<dyn cache::Store> {
        self.0.clone()
    }

    pub(crate) fn administration(&self) -> Arc<dyn AdministrationStore> {
        self.0.clone()
    }

    /// Whether this is one machine's file. A store that replicas share may be older than this machine, so an operator creates its sealing
    /// key and gives it to all replicas.
    pub(crate) fn is_embedded(&self) -> bool {
        self.0.is_embedded()
    }

    /// A warning for operators, also where nothing is logged.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        self.0.warning()
    }

    /// Number of executed statements, for tests.
    #[cfg(test)]
    pub(crate) fn statements(&self) -> u64 {
        self.0.statements()
    }

    /// Notifications of all changes in the store from now on.
    pub(crate) async fn change_feed(&self) -> Result<ChangeFeed, StoreError> {
        self.0.change_feed().await
    }

    /// The store's metrics.
    pub(crate) fn samples(&self) -> StoreSamples {
        let database = Arc::clone(&self.0);
        Box::new(move || {
            let mut samples = vec![statements(database.statements())];
            if let Some((open, idle)) = database.connections() {
                let connections = |labels, count| {
                    gauge("latchkey_store_connections", "Connections to the store.", labels, count)
                };
                let busy = u64::from(open).saturating_sub(idle as u64);
                samples.push(connections(&[("state", "busy")], busy));
                samples.push(connections(&[("state", "idle")], idle as u64));
            }
            samples
        })
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }
}

fn statements(count: u64) -> Sample {
    counter(
        "latchkey_store_statements_total",
        "SQL statements, without those of the change feed.",
        &[],
        count,
    )
}
