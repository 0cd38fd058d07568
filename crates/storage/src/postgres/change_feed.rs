//! The notifications of PostgreSQL.

use async_trait::async_trait;
use sqlx::postgres::PgListener;
use sqlx::{PgPool, Postgres};
use tenancy::Stored;

use crate::change_log::CHANGES;
use crate::error::Error;
use crate::notifications::{LogConnection, NotifyingLog};
use crate::postgres::PostgresPools;
use crate::row::{Row, decoded};
use crate::rows::LogReading;
use crate::statement::{Dialect, Statement};

const CHANNEL: &str = "latchkey_changes";

/// A pool that opens its only connection when it is needed.
#[derive(Debug)]
pub(crate) struct PostgresChangeFeed(PgPool);

impl PostgresChangeFeed {
    pub(crate) fn from_pools(pools: &PostgresPools) -> Self {
        Self(pools.feed().clone())
    }
}

#[async_trait]
impl NotifyingLog for PostgresChangeFeed {
    async fn listen(&self) -> Stored<Box<dyn LogConnection>> {
        Ok(Box::new(listener(&self.0).await.map_err(Error::from)?))
    }
}

#[async_trait]
impl LogConnection for PgListener {
    async fn changes(&mut self, position: i64) -> Stored<LogReading> {
        let statement = Statement::from_text(CHANGES.as_str()).bind(position);
        let rows = statement.bound::<Postgres>(Dialect::Postgres).fetch_all(self).await;
        let rows = rows.map_err(Error::from)?;
        let rows = decoded(&rows.into_iter().map(Row::Postgres).collect::<Vec<_>>())?;
        Ok(LogReading::new(rows)?)
    }

    async fn notified(&mut self) -> Stored<bool> {
        let is_open = self.try_recv().await.map_err(Error::from)?.is_some();
        while self.next_buffered().is_some() {}
        Ok(is_open)
    }
}

async fn listener(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
