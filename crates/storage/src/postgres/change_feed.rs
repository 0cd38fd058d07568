//! Tells what other replicas and this one have written: a connection of its own is woken when something was logged, and then reads
//! the log of changes from where it stood. A wake-up carries nothing, so one that is lost loses nothing.

use std::time::Duration;

use administration::{ChangeLog, Invalidation};
use async_trait::async_trait;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener};
use tenancy::StoreError;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::warn;

use crate::postgres::PostgresDatabase;
use crate::postgres::error::store_error;
use crate::postgres::options::single;
use crate::rows::ChangeRow;

/// Of what is committed: the counter is already beyond what others are about to commit. Where all rows are old and gone, everything
/// is new.
const POSITION: &str = "SELECT COALESCE(MAX(position), 0) FROM change_log";

/// Across tenants on purpose: each process hears of every change.
const CHANGES: &str = "
    SELECT position, kind, tenant_id, client_id FROM change_log WHERE position > $1 ORDER BY position";

const CHANNEL: &str = "latchkey_changes";
/// How soon a connection that was lost is opened anew.
const PERIOD: Duration = Duration::from_millis(250);
/// How long silence is believed: a connection can be dead without a sign.
const SILENCE: Duration = Duration::from_secs(3);
/// How long an answer may take before the connection is given up.
const ANSWER: Duration = Duration::from_secs(2);

/// What changes from now on. Its statements are no request's and are not counted.
#[derive(Debug)]
pub struct ChangeFeed {
    pool: PgPool,
    position: i64,
}

impl PostgresDatabase {
    /// Begins here: what is committed after this call is told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_feed(&self) -> Result<ChangeFeed, StoreError> {
        let position = self.position().await?;
        Ok(ChangeFeed::from(self.administration_options(), position))
    }
}

#[async_trait]
impl ChangeLog for PostgresDatabase {
    async fn position(&self) -> Result<i64, StoreError> {
        self.one(sqlx::query_as(POSITION)).await
    }

    async fn changes_since(&self, position: i64) -> Result<Vec<(i64, Invalidation)>, StoreError> {
        let rows: Vec<ChangeRow> = self.query_across_tenants(sqlx::query_as(CHANGES).bind(position)).await?;
        rows.into_iter().map(ChangeRow::change).collect()
    }
}

impl ChangeFeed {
    fn from(server: PgConnectOptions, position: i64) -> Self {
        Self { pool: single(server), position }
    }

    /// Calls `on_change` with what has changed, until it is dropped. A store that fails is asked again with a new connection;
    /// nothing that was logged meanwhile is missed.
    pub async fn watch(mut self, mut on_change: impl FnMut(Vec<Invalidation>) + Send) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            let Err(error) = self.follow(&mut failing, &mut on_change).await else { continue };
            // One line for one outage, however long.
            if !failing {
                warn!(error = &error as &dyn std::error::Error, "the log of changes cannot be read");
            }
            failing = true;
        }
    }

    /// Ends when the connection does.
    async fn follow(
        &mut self,
        failing: &mut bool,
        on_change: &mut (impl FnMut(Vec<Invalidation>) + Send),
    ) -> Result<(), StoreError> {
        let mut listener = PgListener::connect_with(&self.pool).await.map_err(store_error)?;
        listener.eager_reconnect(false);
        // Listening first: what is logged between the two is read now and once more told of.
        listener.listen(CHANNEL).await.map_err(store_error)?;
        loop {
            let changed =
                timeout(ANSWER, self.read(&mut listener)).await.map_err(StoreError::unavailable)??;
            if !changed.is_empty() {
                on_change(changed);
            }
            *failing = false;
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(_))) | Err(_) => {}
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(store_error(error)),
            }
            // One reading answers all wake-ups that are already here.
            while listener.next_buffered().is_some() {}
        }
    }

    async fn read(&mut self, listener: &mut PgListener) -> Result<Vec<Invalidation>, StoreError> {
        let query = sqlx::query_as(CHANGES).bind(self.position);
        let rows: Vec<ChangeRow> = query.fetch_all(listener).await.map_err(store_error)?;
        Ok(ChangeRow::follow(rows, &mut self.position))
    }
}
