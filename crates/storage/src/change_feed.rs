//! Reads the log of changed rows, so that each process can drop stale cache entries.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use tenancy::{History, StoreError, Stored};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::warn;

use crate::change_log::END;
use crate::database::{Database, DatabaseEngine};
use crate::lost_changes::SeenChanges;
use crate::notifications::NotifyingLog;
use crate::postgres::PostgresChangeFeed;
use crate::rows::LogReading;
use crate::sqlite::SqliteChangeFeed;
use crate::statement::Statement;

/// The delay before a lost connection is opened again, and the time between two reads without a notification.
/// Reading without a notification is necessary, because a notification can be lost, and a replica can stop
/// before it sends its notification.
const PERIOD: Duration = Duration::from_millis(250);

/// The maximum time for an answer. After that time the connection is closed and opened again.
const ANSWER: Duration = Duration::from_secs(2);

/// If only the feed fails and other statements succeed, the log line is written after this time.
const LONG: Duration = Duration::from_secs(60);

/// The longest transaction that the feed waits for. Rows of the log are deleted after one day, so a longer
/// transaction could log rows that are deleted before they are read.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(3_600);

/// Reports all changes from its creation on. The feed's statements do not count in [`Database::statements`].
#[derive(Debug)]
pub struct ChangeFeed {
    connection: FeedConnection,
    position: LogPosition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedNews {
    Changed(Vec<Invalidation>),
    /// The store now has this history, for example after a restore or a failover. Earlier changes may be
    /// lost, and positions that were read before may belong to other changes. The caller must drop its whole
    /// cache.
    NewHistory(History),
    /// All changes until this time have been reported.
    UpToDate(Instant),
}

/// How far this process has read the log.
#[derive(Debug)]
pub(crate) struct LogPosition {
    /// `None` before the first read.
    history: Option<History>,
    /// The end of the last read.
    pub(crate) after: String,
    /// The oldest transaction that was running at the last read, and the time since which it has been the
    /// oldest.
    oldest: (String, Instant),
    is_kept_back: bool,
    seen: Arc<SeenChanges>,
}

impl LogPosition {
    fn at(after: String, seen: Arc<SeenChanges>) -> Self {
        let oldest = (String::new(), Instant::now());
        Self { history: None, after, oldest, is_kept_back: false, seen }
    }

    /// Reports the news of a reading that began at `began`, and continues the next reading at its end.
    fn take(&mut self, began: Instant, reading: LogReading, on_news: &mut impl FnMut(FeedNews)) {
        let LogReading { history, end, is_continued, changes, seen } = reading;
        let known = self.history.replace(history);
        let is_continued = known.is_none_or(|known| known == history) && is_continued;
        if known != Some(history) || !is_continued {
            on_news(FeedNews::NewHistory(history));
        }
        self.after = end;
        if !is_continued {
            return;
        }
        self.seen.add(seen);
        let mut changed = Vec::with_capacity(changes.len());
        for row in changes {
            match row.change {
                Ok(change) => changed.push(change),
                Err(error) => {
                    warn!(error = &error as &dyn std::error::Error, "cannot understand a logged change");
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
                "a PostgreSQL transaction has been running for an hour: until it ends, Latchkey cannot \
                    follow the change log and reads rows again as if it had no log"
            ),
            (true, true) => {}
            (was_kept_back, false) => {
                // While an old transaction held the feed back, rows of the log may have been deleted unread.
                if was_kept_back {
                    on_news(FeedNews::NewHistory(history));
                }
                on_news(FeedNews::UpToDate(began));
            }
        }
    }

    /// Whether a transaction has been running for so long that its rows of the log may be deleted before this
    /// process reads them.
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
    /// Reports all changes that are committed after this call.
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
        Ok(ChangeFeed {
            connection,
            position: LogPosition::at(end.unwrap_or_default(), Arc::clone(&self.seen)),
        })
    }
}

impl ChangeFeed {
    /// Reports the changes in `log` after `position`, which is the end of a reading.
    #[must_use]
    pub fn new(log: Box<dyn NotifyingLog>, position: String) -> Self {
        Self {
            connection: FeedConnection::Notifying(log),
            position: LogPosition::at(position, Arc::default()),
        }
    }

    /// Calls `on_news` until the future is dropped. The first call has the history. After a failure the feed
    /// opens a new connection and still reports the changes that were logged in the meantime.
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
            // Writes one log line for each outage. If the store itself is unavailable, other code logs the
            // outage; the feed logs only after a minute or if the error is a defect.
            let since = *failing.get_or_insert_with(|| (Instant::now(), false));
            let is_logged = matches!(error, StoreError::Fault(_)) || since.0.elapsed() > LONG;
            if is_logged && !since.1 {
                warn!(error = &error as &dyn std::error::Error, "cannot read the change log");
                failing = Some((since.0, true));
            }
        }
    }
}

/// Reads the log at each notification. Returns when the connection ends.
async fn follow(
    log: &dyn NotifyingLog,
    position: &mut LogPosition,
    on_read: &mut (impl FnMut(Instant, Option<LogReading>, &mut LogPosition) + Send),
) -> Stored<()> {
    // Starts to listen before the first read. A change between the two is read now and notified once more,
    // but not missed.
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

    /// The news of a reading that ends at `end`, `after` the first reading.
    fn told(position: &mut LogPosition, began: Instant, after: Duration, end: &str) -> Vec<FeedNews> {
        let (history, end) = (History(1), end.to_owned());
        let reading = LogReading { history, end, is_continued: true, changes: Vec::new(), seen: Vec::new() };
        let mut told = Vec::new();
        position.take(began + after, reading, &mut |news| told.push(news));
        told
    }

    #[test]
    fn transaction_over_an_hour_stops_following_rows() {
        let (began, hour) = (Instant::now(), LONGEST_TRANSACTION);
        let mut position = LogPosition::at("7:7:".to_owned(), Arc::default());
        let up_to_date = |after| vec![FeedNews::UpToDate(began + after)];
        let known = FeedNews::NewHistory(History(1));
        let mut told = |after, end| told(&mut position, began, after, end);
        assert_eq!(told(Duration::ZERO, "7:7:"), [vec![known.clone()], up_to_date(Duration::ZERO)].concat());
        // Hours pass without a write and without a running transaction.
        assert_eq!(told(3 * hour, "7:7:"), up_to_date(3 * hour));
        assert_eq!(told(4 * hour, "7:9:7,8"), up_to_date(4 * hour));
        assert_eq!(told(5 * hour, "7:900:7"), []);
        assert_eq!(told(6 * hour, "7:905:7"), []);
        assert_eq!(told(7 * hour, "905:905:"), [vec![known], up_to_date(7 * hour)].concat());
    }
}
