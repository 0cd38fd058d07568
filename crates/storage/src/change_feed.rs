//! Notifies of changed rows as they are logged, so that each process drops its cache entries.

use std::time::Duration;

use administration::{ChangeLog as _, Invalidation};
use tenancy::{StoreError, Stored};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::database::{Database, Engine};
use crate::notifications::{self, NotifyingLog};
use crate::postgres::PostgresChangeFeed;
use crate::rows::LoggedChange;
use crate::sqlite::SqliteChangeFeed;

/// How soon a connection that was lost is opened again.
const PERIOD: Duration = Duration::from_millis(250);

/// All changes from now on. Its statements belong to no request and are not counted.
#[derive(Debug)]
pub struct ChangeFeed {
    connection: FeedConnection,
    position: i64,
}

#[derive(Debug)]
enum FeedConnection {
    Sqlite(Box<SqliteChangeFeed>),
    Notifying(Box<dyn NotifyingLog>),
}

impl Database {
    /// Notifies of what is committed after this call.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_feed(&self) -> Stored<ChangeFeed> {
        let connection = match &self.engine {
            Engine::Sqlite(pools) => FeedConnection::Sqlite(Box::new(SqliteChangeFeed::from_pools(pools))),
            Engine::Postgres(pools) => {
                FeedConnection::Notifying(Box::new(PostgresChangeFeed::from_pools(pools)))
            }
        };
        Ok(ChangeFeed { connection, position: self.position().await? })
    }
}

impl ChangeFeed {
    /// Notifies of what this log has after the position.
    #[must_use]
    pub fn new(log: Box<dyn NotifyingLog>, position: i64) -> Self {
        Self { connection: FeedConnection::Notifying(log), position }
    }

    /// Calls `on_change` with the changes until it is dropped. After a failure of the store it opens a new
    /// connection, and misses no change that was logged meanwhile.
    pub async fn watch(mut self, mut on_change: impl FnMut(Vec<Invalidation>) + Send) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            let mut on_read = |rows: Vec<LoggedChange>, position: &mut i64| {
                failing = false;
                let mut changed = Vec::with_capacity(rows.len());
                for row in rows {
                    *position = row.position;
                    match row.change {
                        Ok(change) => changed.push(change),
                        Err(error) => {
                            warn!(
                                error = &error as &dyn std::error::Error,
                                "a logged change is not understood"
                            );
                        }
                    }
                }
                if !changed.is_empty() {
                    on_change(changed);
                }
            };
            let followed = match &mut self.connection {
                FeedConnection::Sqlite(feed) => {
                    feed.follow(&mut self.position, &mut on_read).await.map_err(StoreError::from)
                }
                FeedConnection::Notifying(log) => {
                    notifications::follow(&**log, &mut self.position, &mut on_read).await
                }
            };
            let Err(error) = followed else { continue };
            // One outage is one line, however long it lasts.
            if !failing {
                warn!(error = &error as &dyn std::error::Error, "the log of changes cannot be read");
            }
            failing = true;
        }
    }
}
