//! How a request reads: one statement, which enters the tenant and then looks, and one deadline for everything. And how
//! administration reads across tenants.

use std::sync::atomic::Ordering;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryAs;
use sqlx::{FromRow, Postgres};
use tenancy::StoreError;
use tokio::time::timeout;

use crate::postgres::PostgresDatabase;
use crate::postgres::error::{is_lost, store_error};

/// A statement that enters the tenant `$1` for as long as it runs, and then executes a query of that tenant's rows, which must
/// compare `tenant_id` with `entered.tenant_id`. Row level security looks at the setting for each row that it reads; because the
/// query needs what entering has answered, and the OFFSET keeps the planner from turning the two around, it has been set by then.
/// A query that forgot the comparison could at worst find nothing.
macro_rules! in_tenant {
    ($($query:expr),+) => {
        concat!(
            "WITH entered AS MATERIALIZED (SELECT set_config('latchkey.tenant', $1, true) AS tenant_id)
             SELECT found.* FROM entered CROSS JOIN LATERAL (", $($query),+, " OFFSET 0) AS found"
        )
    };
}

pub(crate) use in_tenant;

impl PostgresDatabase {
    /// All rows of a statement with text arguments. Waiting for a connection, reading, and once more where the connection was lost,
    /// all have one deadline of their own: a server that hangs keeps none.
    pub(crate) async fn find<R>(&self, sql: &'static str, arguments: &[&str]) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let attempt = || async {
            let mut connection = self.reader().await?;
            self.statements.fetch_add(1, Ordering::Relaxed);
            let query = sqlx::query_as(sql);
            let query = arguments.iter().fold(query, |query, argument| query.bind(*argument));
            query.fetch_all(&mut *connection).await
        };
        let twice = async {
            match attempt().await {
                Err(error) if is_lost(&error) => attempt().await,
                outcome => outcome,
            }
        };
        timeout(2 * self.patience, twice).await.map_err(StoreError::unavailable)?.map_err(store_error)
    }

    /// A connection to read on. It is opened in a task of its own, away from the workers that sign: a request stops waiting in time,
    /// but the connection that it asked for is made to the end and serves the next one. Otherwise a busy server that has lost its
    /// connections would begin them again and again, and finish none.
    async fn reader(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let readers = self.readers.clone();
        let opening = self.runtime.spawn(async move { readers.acquire().await });
        match timeout(self.patience, opening).await {
            Ok(opened) => opened.unwrap_or(Err(sqlx::Error::PoolClosed)),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// All rows of a query that enters its tenant, for administration.
    pub(crate) async fn query_in_tenant<R>(
        &self,
        query: QueryAs<'_, Postgres, R, PgArguments>,
    ) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut transaction = self.snapshot().await.map_err(store_error)?;
        let rows = transaction.all(query).await.map_err(store_error)?;
        transaction.commit().await.map_err(store_error)?;
        Ok(rows)
    }

    /// All rows of a query across tenants.
    pub(crate) async fn query_across_tenants<R>(
        &self,
        query: QueryAs<'_, Postgres, R, PgArguments>,
    ) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.statements.fetch_add(1, Ordering::Relaxed);
        query.fetch_all(&self.administrators).await.map_err(store_error)
    }

    /// The one value of a query that always has one.
    pub(crate) async fn one<T>(
        &self,
        query: QueryAs<'_, Postgres, (T,), PgArguments>,
    ) -> Result<T, StoreError>
    where
        (T,): for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let rows = self.query_across_tenants(query).await?;
        let row = rows.into_iter().next().ok_or(sqlx::Error::RowNotFound).map_err(store_error)?;
        Ok(row.0)
    }
}
