//! Reads the log of changes after another connection has committed. One connection polls the file every 250
//! ms, without reading a table.

use std::future::pending;
use std::time::Duration;

use sqlx::{Sqlite, SqliteConnection, SqlitePool};
use tokio::time::{Instant, sleep};

use crate::change_feed::LogPosition;
use crate::change_log::CHANGES;
use crate::error::Error;
use crate::row::{DatabaseRow, decoded};
use crate::rows::LogReading;
use crate::sqlite::SqlitePools;
use crate::statement::{Dialect, Statement};

const PERIOD: Duration = Duration::from_millis(250);

/// The pool of the one connection.
#[derive(Debug)]
pub(crate) struct SqliteChangeFeed(SqlitePool);

impl SqliteChangeFeed {
    pub(crate) fn from_pools(pools: &SqlitePools) -> Self {
        Self(pools.feed.clone())
    }

    /// Ends only with a failure. Returns the connection when the pools are closed: the last connection that
    /// is closed merges the write-ahead log into the file.
    pub(crate) async fn follow(
        &mut self,
        position: &mut LogPosition,
        on_read: &mut (impl FnMut(Instant, Option<LogReading>, &mut LogPosition) + Send),
    ) -> Result<(), Error> {
        match self.0.close_event().do_until(poll(&self.0, position, on_read)).await {
            Ok(ended) => ended,
            Err(_) => pending().await,
        }
    }
}

async fn poll(
    pool: &SqlitePool,
    position: &mut LogPosition,
    on_read: &mut (impl FnMut(Instant, Option<LogReading>, &mut LogPosition) + Send),
) -> Result<(), Error> {
    let mut connection = pool.acquire().await?;
    let mut seen = None;
    loop {
        let began = Instant::now();
        let version = data_version(&mut connection).await?;
        let reading = match seen == Some(version) {
            true => None,
            false => Some(changes(&mut connection, &position.after).await?),
        };
        on_read(began, reading, position);
        seen = Some(version);
        sleep(PERIOD).await;
    }
}

async fn changes(connection: &mut SqliteConnection, after: &str) -> Result<LogReading, Error> {
    let statement = Statement::from_text(CHANGES.as_str()).bind(after);
    let rows = statement.bound::<Sqlite>(Dialect::Sqlite).fetch_all(connection).await?;
    LogReading::new(decoded(&rows.into_iter().map(DatabaseRow::Sqlite).collect::<Vec<_>>())?)
}

/// The number changes with every commit of another connection.
async fn data_version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await
}
