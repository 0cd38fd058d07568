//! The notifications of PostgreSQL.

use async_trait::async_trait;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tenancy::Stored;

use crate::change_log::CHANGES;
use crate::error::Error;
use crate::notifications::{LogConnection, NotifyingLog};
use crate::postgres::{PostgresPools, Role};
use crate::row::{Row, decoded};
use crate::rows::LogReading;
use crate::statement::Statement;

const CHANNEL: &str = "latchkey_changes";

/// A pool that opens its only connection when it is needed.
#[derive(Debug)]
pub(crate) struct PostgresChangeFeed {
    pool: PgPool,
    role: Role,
}

/// A connection that listens, and its role.
struct Listener(PgListener, Role);

impl PostgresChangeFeed {
    pub(crate) fn from_pools(pools: &PostgresPools) -> Self {
        let (pool, role) = pools.feed();
        Self { pool: pool.clone(), role }
    }
}

#[async_trait]
impl NotifyingLog for PostgresChangeFeed {
    async fn listen(&self) -> Stored<Box<dyn LogConnection>> {
        Ok(Box::new(Listener(listener(&self.pool).await.map_err(Error::from)?, self.role)))
    }
}

#[async_trait]
impl LogConnection for Listener {
    async fn changes(&mut self, position: i64) -> Stored<LogReading> {
        let statement = Statement::from_text(CHANGES.as_str()).bind(position);
        let rows = statement.bound_as(self.1).fetch_all(&mut self.0).await;
        let rows = rows.map_err(Error::from)?;
        let rows = decoded(&rows.into_iter().map(Row::Postgres).collect::<Vec<_>>())?;
        Ok(LogReading::new(rows)?)
    }

    async fn notified(&mut self) -> Stored<bool> {
        let is_open = self.0.try_recv().await.map_err(Error::from)?.is_some();
        while self.0.next_buffered().is_some() {}
        Ok(is_open)
    }
}

async fn listener(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
