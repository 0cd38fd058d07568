//! Notifies of changed rows as they are logged, so that each process drops its cache entries.

use std::time::Duration;

use administration::{ChangeLog as _, Invalidation};
use tenancy::{History, StoreError, Stored};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::warn;

use crate::database::{Database, Engine};
use crate::notifications::NotifyingLog;
use crate::postgres::PostgresChangeFeed;
use crate::rows::LogReading;
use crate::sqlite::SqliteChangeFeed;

/// How soon a connection that was lost is opened again.
const PERIOD: Duration = Duration::from_millis(250);

/// How long a silent connection counts as alive: it can be dead without a sign.
const SILENCE: Duration = Duration::from_secs(3);
/// How long an answer may take before the connection is given up.
const ANSWER: Duration = Duration::from_secs(2);

/// The feed alone may fail, for lack of a connection: then it says so after this time.
const LONG: Duration = Duration::from_secs(60);

/// All changes from now on. Its statements belong to no request and are not counted.
#[derive(Debug)]
pub struct ChangeFeed {
    connection: FeedConnection,
    position: LogPosition,
}

/// What a feed has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedNews {
    /// These rows have changed.
    Changed(Vec<Invalidation>),
    /// The store continues with this history. Changes that were read before may be lost, and others may have
    /// been committed under positions that were read before.
    NewHistory(History),
}

/// How far a process has read the log.
#[derive(Debug)]
pub(crate) struct LogPosition {
    /// Unknown until the first reading.
    history: Option<History>,
    pub(crate) after: i64,
}

impl LogPosition {
    fn at(after: i64) -> Self {
        Self { history: None, after }
    }

    /// Tells what is new in this reading, from which the log is read on.
    fn take(&mut self, reading: LogReading, on_news: &mut impl FnMut(FeedNews)) {
        let LogReading { history, end, changes } = reading;
        let known = self.history.replace(history);
        let is_continued = known.is_none_or(|known| known == history) && self.after <= end;
        if known != Some(history) || !is_continued {
            on_news(FeedNews::NewHistory(history));
        }
        if !is_continued {
            self.after = end;
            return;
        }
        let mut changed = Vec::with_capacity(changes.len());
        for row in changes {
            self.after = row.position;
            match row.change {
                Ok(change) => changed.push(change),
                Err(error) => {
                    warn!(error = &error as &dyn std::error::Error, "a logged change is not understood");
                }
            }
        }
        if !changed.is_empty() {
            on_news(FeedNews::Changed(changed));
        }
    }
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
        Ok(ChangeFeed { connection, position: LogPosition::at(self.position().await?) })
    }
}

impl ChangeFeed {
    /// Notifies of what this log has after the position.
    #[must_use]
    pub fn new(log: Box<dyn NotifyingLog>, position: i64) -> Self {
        Self { connection: FeedConnection::Notifying(log), position: LogPosition::at(position) }
    }

    /// Calls `on_news` until it is dropped, first with the history. After a failure of the store it opens a
    /// new connection, and misses no change that was logged meanwhile.
    pub async fn watch(mut self, mut on_news: impl FnMut(FeedNews) + Send) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing: Option<(Instant, bool)> = None;
        loop {
            ticks.tick().await;
            let mut on_read = |reading: LogReading, position: &mut LogPosition| {
                failing = None;
                position.take(reading, &mut on_news);
            };
            let followed = match &mut self.connection {
                FeedConnection::Sqlite(feed) => {
                    feed.follow(&mut self.position, &mut on_read).await.map_err(StoreError::from)
                }
                FeedConnection::Notifying(log) => follow(&**log, &mut self.position, &mut on_read).await,
            };
            let Err(error) = followed else { continue };
            // One outage is one line, however long it lasts. One of the store is logged as such, unless the
            // store answers all others.
            let since = *failing.get_or_insert_with(|| (Instant::now(), false));
            let is_logged = matches!(error, StoreError::Fault(_)) || since.0.elapsed() > LONG;
            if is_logged && !since.1 {
                warn!(error = &error as &dyn std::error::Error, "the log of changes cannot be read");
                failing = Some((since.0, true));
            }
        }
    }
}

/// Reads the log at each notification. Ends when the connection does.
async fn follow(
    log: &dyn NotifyingLog,
    position: &mut LogPosition,
    on_read: &mut (impl FnMut(LogReading, &mut LogPosition) + Send),
) -> Stored<()> {
    // Listening first: what is logged between the two is read now and notified once more.
    let mut connection = log.listen().await?;
    loop {
        let reading = timeout(ANSWER, connection.changes(position.after)).await;
        on_read(reading.map_err(StoreError::unavailable)??, position);
        match timeout(SILENCE, connection.notified()).await {
            Ok(Ok(true)) | Err(_) => {}
            Ok(Ok(false)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
        }
    }
}
