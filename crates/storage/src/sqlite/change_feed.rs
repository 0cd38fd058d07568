//! Tells what other processes and this one have written: a connection of its own asks every 250 ms whether the file has changed,
//! which reads no table, and then reads the log of changes.

use std::time::Duration;

use administration::{ChangeLog, Invalidation};
use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tenancy::StoreError;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::rows::ChangeRow;
use crate::sqlite::SqliteDatabase;
use crate::sqlite::error::store_error;

/// From the counter, not from the rows: old rows are removed.
const POSITION: &str = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'change_log'), 0)";

/// Across tenants on purpose: each process hears of every change.
const CHANGES: &str = "
    SELECT position, kind, tenant_id, client_id FROM change_log WHERE position > ?1 ORDER BY position";

const PERIOD: Duration = Duration::from_millis(250);

/// What changes from now on. Its statements are no request's and are not counted.
#[derive(Debug)]
pub struct ChangeFeed {
    options: SqliteConnectOptions,
    position: i64,
}

impl SqliteDatabase {
    /// Begins here: what is committed after this call is told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_feed(&self) -> Result<ChangeFeed, StoreError> {
        let position = self.position().await?;
        Ok(ChangeFeed { options: self.reader_options(), position })
    }
}

#[async_trait]
impl ChangeLog for SqliteDatabase {
    async fn position(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar(POSITION).fetch_one(self.read()).await.map_err(store_error)
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        let rows: Vec<ChangeRow> =
            sqlx::query_as(CHANGES).bind(position).fetch_all(self.read()).await.map_err(store_error)?;
        rows.into_iter().map(ChangeRow::change).collect()
    }
}

impl ChangeFeed {
    /// Calls `on_change` with what has changed, until it is dropped. A store that fails is asked again with a new connection;
    /// nothing that was logged meanwhile is missed.
    pub async fn watch(mut self, mut on_change: impl FnMut(Vec<Invalidation>) + Send) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            let Err(error) = self.follow(&mut ticks, &mut failing, &mut on_change).await else { continue };
            // One line for one outage, however long.
            if !failing {
                warn!(error = &error as &dyn std::error::Error, "the log of changes cannot be read");
            }
            failing = true;
        }
    }

    /// Ends only with a failure.
    async fn follow(
        &mut self,
        ticks: &mut tokio::time::Interval,
        failing: &mut bool,
        on_change: &mut (impl FnMut(Vec<Invalidation>) + Send),
    ) -> Result<(), StoreError> {
        let mut connection = self.options.connect().await.map_err(store_error)?;
        let mut seen = None;
        loop {
            let version = data_version(&mut connection).await.map_err(store_error)?;
            if seen != Some(version) {
                let changed = self.read(&mut connection).await?;
                if !changed.is_empty() {
                    on_change(changed);
                }
                seen = Some(version);
            }
            *failing = false;
            ticks.tick().await;
        }
    }

    async fn read(&mut self, connection: &mut SqliteConnection) -> Result<Vec<Invalidation>, StoreError> {
        let query = sqlx::query_as(CHANGES).bind(self.position);
        let rows: Vec<ChangeRow> = query.fetch_all(connection).await.map_err(store_error)?;
        Ok(ChangeRow::follow(rows, &mut self.position))
    }
}

/// Another number after every commit of another connection.
async fn data_version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await
}
