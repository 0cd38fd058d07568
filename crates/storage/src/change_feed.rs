//! Notifies of changed rows as they are logged, so that each process drops its cache entries.

use std::time::Duration;

use administration::Invalidation;
use tenancy::{History, StoreError, Stored};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::warn;

use crate::change_log::END;
use crate::database::{Database, DatabaseEngine};
use crate::notifications::NotifyingLog;
use crate::postgres::PostgresChangeFeed;
use crate::rows::LogReading;
use crate::sqlite::SqliteChangeFeed;
use crate::statement::Statement;

/// How soon a connection that was lost is opened again, and how often the log is read without a notification:
/// one may be lost, or its replica may have ended before it sent it.
const PERIOD: Duration = Duration::from_millis(250);

/// How long an answer may take before the connection is given up.
const ANSWER: Duration = Duration::from_secs(2);

/// The feed alone may fail, for lack of a connection: then it says so after this time.
const LONG: Duration = Duration::from_secs(60);

/// What one transaction of PostgreSQL may keep back: the log of others is removed after a day.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(3_600);

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
    /// All changes until this moment have been told.
    UpToDate(Instant),
}

/// How far a process has read the log.
#[derive(Debug)]
pub(crate) struct LogPosition {
    /// Unknown until the first reading.
    history: Option<History>,
    /// The end of the last reading.
    pub(crate) after: String,
    /// The first transaction that was running then, and since when it is the first.
    oldest: (String, Instant),
    is_kept_back: bool,
}

impl LogPosition {
    fn at(after: String) -> Self {
        Self { history: None, after, oldest: (String::new(), Instant::now()), is_kept_back: false }
    }

    /// Tells what is new in this reading, which began at this moment and from which the log is read on.
    fn take(&mut self, began: Instant, reading: LogReading, on_news: &mut impl FnMut(FeedNews)) {
        let LogReading { history, end, is_continued, changes } = reading;
        let known = self.history.replace(history);
        let is_continued = known.is_none_or(|known| known == history) && is_continued;
        if known != Some(history) || !is_continued {
            on_news(FeedNews::NewHistory(history));
        }
        self.after = end;
        if !is_continued {
            return;
        }
        let mut changed = Vec::with_capacity(changes.len());
        for row in changes {
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
        let is_kept_back = self.has_old_transaction(began);
        match (std::mem::replace(&mut self.is_kept_back, is_kept_back), is_kept_back) {
            (false, true) => warn!(
                transaction = self.oldest.0,
                "a transaction of PostgreSQL has been running for an hour: until it ends, rows are not followed by the log of changes and are read again as without it"
            ),
            (true, true) => {}
            (was_kept_back, false) => {
                // Rows of the log may have been removed before they were seen.
                if was_kept_back {
                    on_news(FeedNews::NewHistory(history));
                }
                on_news(FeedNews::UpToDate(began));
            }
        }
    }

    /// Whether a transaction has been running for so long that what it logs may be removed before it is read.
    fn has_old_transaction(&mut self, now: Instant) -> bool {
        let mut ids = self.after.split(':');
        let (oldest, next) = (ids.next().unwrap_or_default(), ids.next().unwrap_or_default());
        if self.oldest.0 != oldest || oldest == next || next.is_empty() {
            self.oldest = (oldest.to_owned(), now);
        }
        now.duration_since(self.oldest.1) > LONGEST_TRANSACTION
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
            DatabaseEngine::Sqlite(pools) => {
                FeedConnection::Sqlite(Box::new(SqliteChangeFeed::from_pools(pools)))
            }
            DatabaseEngine::Postgres(pools) => {
                FeedConnection::Notifying(Box::new(PostgresChangeFeed::from_pools(pools)))
            }
        };
        let end: Option<String> = self.scalar(Statement::from_text(END)).await?;
        Ok(ChangeFeed { connection, position: LogPosition::at(end.unwrap_or_default()) })
    }
}

impl ChangeFeed {
    /// Notifies of what this log has after the end of a reading.
    #[must_use]
    pub fn new(log: Box<dyn NotifyingLog>, position: String) -> Self {
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
            let mut on_read = |began, reading: Option<LogReading>, position: &mut LogPosition| {
                failing = None;
                match reading {
                    Some(reading) => position.take(began, reading, &mut on_news),
                    None => on_news(FeedNews::UpToDate(began)),
                }
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
    on_read: &mut (impl FnMut(Instant, Option<LogReading>, &mut LogPosition) + Send),
) -> Stored<()> {
    // Listening first: what is logged between the two is read now and notified once more.
    let mut connection = log.listen().await?;
    loop {
        let began = Instant::now();
        let reading = timeout(ANSWER, connection.changes(&position.after)).await;
        on_read(began, Some(reading.map_err(StoreError::unavailable)??), position);
        match timeout(PERIOD, connection.notified()).await {
            Ok(Ok(true)) | Err(_) => {}
            Ok(Ok(false)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a reading with this end, so long after the first one.
    fn told(position: &mut LogPosition, began: Instant, after: Duration, end: &str) -> Vec<FeedNews> {
        let (history, end) = (History(1), end.to_owned());
        let reading = LogReading { history, end, is_continued: true, changes: Vec::new() };
        let mut told = Vec::new();
        position.take(began + after, reading, &mut |news| told.push(news));
        told
    }

    #[test]
    fn rows_are_not_followed_while_a_transaction_runs_for_longer_than_an_hour_and_are_read_again_after_it() {
        let (began, hour) = (Instant::now(), LONGEST_TRANSACTION);
        let mut position = LogPosition::at("7:7:".to_owned());
        let up_to_date = |after| vec![FeedNews::UpToDate(began + after)];
        let known = FeedNews::NewHistory(History(1));
        let mut told = |after, end| told(&mut position, began, after, end);
        assert_eq!(told(Duration::ZERO, "7:7:"), [vec![known.clone()], up_to_date(Duration::ZERO)].concat());
        // Nothing has written for hours, and no transaction runs.
        assert_eq!(told(3 * hour, "7:7:"), up_to_date(3 * hour));
        assert_eq!(told(4 * hour, "7:9:7,8"), up_to_date(4 * hour));
        assert_eq!(told(5 * hour, "7:900:7"), []);
        assert_eq!(told(6 * hour, "7:905:7"), []);
        assert_eq!(told(7 * hour, "905:905:"), [vec![known], up_to_date(7 * hour)].concat());
    }
}
