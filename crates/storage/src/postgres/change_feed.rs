//! PostgreSQL's notifications, and the check for running replicas of an earlier version, which need a
//! notification from each transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tenancy::Stored;
use tokio::time::Instant;

use crate::change_log::CHANGES;
use crate::error::{Error, has_code};
use crate::notifications::{LogConnection, NotifyingLog};
use crate::postgres::pools::CHANNEL;
use crate::postgres::{PostgresPools, Role};
use crate::row::{DatabaseRow, decoded};
use crate::rows::LogReading;
use crate::statement::Statement;

/// Whether an earlier version has an open session. Each session of the current version holds an advisory lock
/// that all roles can see.
const HAS_EARLIER: &str = "
    SELECT EXISTS (SELECT FROM pg_stat_activity AS s
                    WHERE s.datname = current_database() AND s.application_name = current_setting('application_name')
                      AND NOT EXISTS (SELECT FROM pg_locks AS l
                                       WHERE l.pid = s.pid AND l.locktype = 'advisory'
                                         AND (l.classid::bigint << 32) + l.objid::bigint = 7810204517302013))";

/// A replica that has lost all connections opens them again soon. So if this many checks at this interval
/// find no session, no replica of an earlier version is running.
const LOOKS: u32 = 3;
const LOOK_EVERY: Duration = Duration::from_secs(1);

const NOT_SUPPORTED: &str = "0A000";

/// A pool that opens its only connection on demand.
#[derive(Debug)]
pub(crate) struct PostgresChangeFeed {
    pool: PgPool,
    role: Role,
    is_alone: Arc<AtomicBool>,
}

struct ListeningConnection {
    connection: PgListener,
    role: Role,
    is_alone: Arc<AtomicBool>,
    /// The number of checks that found no replica of an earlier version, and the time of the last check.
    looks: (u32, Option<Instant>),
}

impl PostgresChangeFeed {
    pub(crate) fn from_pools(pools: &PostgresPools) -> Self {
        let (pool, role, is_alone) = pools.feed();
        Self { pool: pool.clone(), role, is_alone: Arc::clone(is_alone) }
    }
}

#[async_trait]
impl NotifyingLog for PostgresChangeFeed {
    async fn listen(&self) -> Stored<Box<dyn LogConnection>> {
        let connection = listener(&self.pool).await.map_err(Error::from)?;
        let (role, is_alone) = (self.role, Arc::clone(&self.is_alone));
        Ok(Box::new(ListeningConnection { connection, role, is_alone, looks: (0, None) }))
    }
}

#[async_trait]
impl LogConnection for ListeningConnection {
    async fn changes(&mut self, after: &str) -> Stored<LogReading> {
        self.look_for_earlier().await.map_err(Error::from)?;
        let statement = Statement::from_text(CHANGES.as_str()).bind(after);
        let rows = statement.bound_as(self.role).fetch_all(&mut self.connection).await;
        let rows = rows.map_err(Error::from)?;
        let rows = decoded(&rows.into_iter().map(DatabaseRow::Postgres).collect::<Vec<_>>())?;
        Ok(LogReading::new(rows)?)
    }

    async fn notified(&mut self) -> Stored<bool> {
        let is_open = self.connection.try_recv().await.map_err(Error::from)?.is_some();
        while self.connection.next_buffered().is_some() {}
        Ok(is_open)
    }
}

impl ListeningConnection {
    /// Checking stops after [`LOOKS`] clear checks. An earlier version cannot start with the current schema,
    /// so it does not come back.
    async fn look_for_earlier(&mut self) -> Result<(), sqlx::Error> {
        let (clear, last) = self.looks;
        if clear == LOOKS || last.is_some_and(|last| last.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        let has_earlier: bool = sqlx::query_scalar(HAS_EARLIER).fetch_one(&mut self.connection).await?;
        self.looks = (if has_earlier { 0 } else { clear + 1 }, Some(Instant::now()));
        if self.looks.0 == LOOKS {
            self.is_alone.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

async fn listener(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    match listener.listen(CHANNEL).await {
        // The log is also read without notifications.
        Err(error) if has_code(&error, NOT_SUPPORTED) => {}
        listening => listening?,
    }
    Ok(listener)
}
