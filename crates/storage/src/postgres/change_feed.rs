//! Reads the log of changes when PostgreSQL notifies that a row was logged. A notification carries no data,
//! so a lost one loses nothing.

use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{PgPool, Postgres};
use tenancy::StoreError;
use tokio::time::timeout;

use crate::change_log::CHANGES;
use crate::error::Error;
use crate::postgres::PostgresPools;
use crate::row::{Row, decoded};
use crate::rows::LoggedChange;
use crate::statement::{Dialect, Statement};

const CHANNEL: &str = "latchkey_changes";
/// How long a silent connection counts as alive: it can be dead without a sign.
const SILENCE: Duration = Duration::from_secs(3);
/// How long an answer may take before the connection is given up.
const ANSWER: Duration = Duration::from_secs(2);

/// A pool that opens its only connection when it is needed.
#[derive(Debug)]
pub(crate) struct PostgresChangeFeed(PgPool);

impl PostgresChangeFeed {
    pub(crate) fn from_pools(pools: &PostgresPools) -> Self {
        Self(pools.feed().clone())
    }

    /// Ends when the connection does.
    pub(crate) async fn follow(
        &mut self,
        position: &mut i64,
        on_read: &mut (impl FnMut(Vec<LoggedChange>, &mut i64) + Send),
    ) -> Result<(), Error> {
        let mut listener = PgListener::connect_with(&self.0).await?;
        listener.eager_reconnect(false);
        // Listening first: what is logged between the two is read now and notified once more.
        listener.listen(CHANNEL).await?;
        loop {
            let rows = timeout(ANSWER, changes(&mut listener, *position)).await;
            on_read(rows.map_err(StoreError::unavailable)??, position);
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(_))) | Err(_) => {}
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error.into()),
            }
            // One read of the log answers all notifications that have arrived.
            while listener.next_buffered().is_some() {}
        }
    }
}

async fn changes(listener: &mut PgListener, position: i64) -> Result<Vec<LoggedChange>, Error> {
    let statement = Statement::from_text(CHANGES.as_str()).bind(position);
    let rows = statement.bound::<Postgres>(Dialect::Postgres).fetch_all(listener).await?;
    decoded(&rows.into_iter().map(Row::Postgres).collect::<Vec<_>>())
}
