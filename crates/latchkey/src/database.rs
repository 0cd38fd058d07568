//! The configured store, behind the traits that all other code uses.

use std::sync::Arc;

use administration::{AdministrationStore, Invalidation};
use gateway::Sample;
use keys::SigningKeyStore;
use registry::ClientStore;
use storage::postgres::{PostgresDatabase, PostgresOptions};
use storage::sqlite::SqliteDatabase;
use tenancy::{StoreError, TenantStore};

use crate::health::{StoreSamples, counter, gauge};
use crate::settings::StorageLocation;
use crate::start_error::StartError;

/// An open store.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(Arc<SqliteDatabase>),
    Postgres(Arc<PostgresDatabase>),
}

/// Notifications of all changes in the store from now on.
pub(crate) enum ChangeFeed {
    Sqlite(Box<storage::sqlite::ChangeFeed>),
    Postgres(storage::postgres::ChangeFeed),
}

impl Database {
    /// Opens the store and migrates its schema.
    pub(crate) async fn open(location: &StorageLocation) -> Result<Self, StartError> {
        Ok(match location {
            StorageLocation::Sqlite(path) => Self::Sqlite(Arc::new(SqliteDatabase::open(path).await?)),
            StorageLocation::Postgres(url) => Self::Postgres(Arc::new(
                PostgresDatabase::open(url.expose(), PostgresOptions::default()).await?,
            )),
        })
    }

    /// Opens the store for reading; `None` where it does not exist yet.
    pub(crate) async fn open_read_only(location: &StorageLocation) -> Result<Option<Self>, StartError> {
        Ok(match location {
            StorageLocation::Sqlite(path) => {
                SqliteDatabase::open_read_only(path).await?.map(Arc::new).map(Self::Sqlite)
            }
            StorageLocation::Postgres(url) => {
                let database =
                    PostgresDatabase::open_read_only(url.expose(), PostgresOptions::default()).await?;
                database.map(Arc::new).map(Self::Postgres)
            }
        })
    }

    pub(crate) fn tenants(&self) -> Arc<dyn TenantStore> {
        match self {
            Self::Sqlite(database) => database.clone(),
            Self::Postgres(database) => database.clone(),
        }
    }

    pub(crate) fn clients(&self) -> Arc<dyn ClientStore> {
        match self {
            Self::Sqlite(database) => database.clone(),
            Self::Postgres(database) => database.clone(),
        }
    }

    pub(crate) fn signing_keys(&self) -> Arc<dyn SigningKeyStore> {
        match self {
            Self::Sqlite(database) => database.clone(),
            Self::Postgres(database) => database.clone(),
        }
    }

    pub(crate) fn administration(&self) -> Arc<dyn AdministrationStore> {
        match self {
            Self::Sqlite(database) => database.clone(),
            Self::Postgres(database) => database.clone(),
        }
    }

    /// Whether this is one machine's file. A store that replicas share may be older than this machine, so an operator creates its sealing
    /// key and gives it to all replicas.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// A warning for operators, also where nothing is logged.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(database) => database.warning(),
        }
    }

    /// Number of executed statements, for tests.
    #[cfg(test)]
    pub(crate) fn statements(&self) -> u64 {
        match self {
            Self::Sqlite(database) => database.statements(),
            Self::Postgres(database) => database.statements(),
        }
    }

    pub(crate) async fn change_feed(&self) -> Result<ChangeFeed, StoreError> {
        Ok(match self {
            Self::Sqlite(database) => ChangeFeed::Sqlite(Box::new(database.change_feed().await?)),
            Self::Postgres(database) => ChangeFeed::Postgres(database.change_feed().await?),
        })
    }

    /// The store's metrics.
    pub(crate) fn samples(&self) -> StoreSamples {
        let database = self.clone();
        Box::new(move || match &database {
            Self::Sqlite(database) => vec![statements(database.statements())],
            Self::Postgres(database) => {
                let (open, idle) = database.connections();
                let connections = |labels, count| {
                    gauge("latchkey_store_connections", "Connections to the store.", labels, count)
                };
                let busy = u64::from(open).saturating_sub(idle as u64);
                let (busy, idle) =
                    (connections(&[("state", "busy")], busy), connections(&[("state", "idle")], idle as u64));
                vec![statements(database.statements()), busy, idle]
            }
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
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

impl ChangeFeed {
    /// Calls `on_change` for each change, until the future is dropped.
    pub(crate) async fn watch(self, on_change: impl FnMut(Vec<Invalidation>) + Send) {
        match self {
            Self::Sqlite(feed) => feed.watch(on_change).await,
            Self::Postgres(feed) => feed.watch(on_change).await,
        }
    }
}
