//! A transaction of either engine, which counts its statements.

use std::sync::atomic::{AtomicU64, Ordering};

use protocol::Timestamp;
use sqlx::{Postgres, Sqlite};

use crate::column::Column;
use crate::columns::{Columns, given};
use crate::database::{decoded, scalar};
use crate::error::Error;
use crate::row::{FromRow, Row};
use crate::statement::{Dialect, Statement};

/// A transaction under way. Dropping it takes everything back.
pub(crate) struct Transaction<'d> {
    open: Open,
    statements: &'d AtomicU64,
}

pub(crate) enum Open {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl<'d> Transaction<'d> {
    pub(crate) fn new(open: Open, statements: &'d AtomicU64) -> Self {
        Self { open, statements }
    }

    /// Says how many rows it touched.
    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64, Error> {
        self.count();
        match &mut self.open {
            Open::Sqlite(transaction) => {
                let done = statement.bound::<Sqlite>(Dialect::Sqlite).execute(&mut **transaction).await?;
                Ok(done.rows_affected())
            }
            Open::Postgres(transaction) => {
                let done = statement.bound::<Postgres>(Dialect::Postgres).execute(&mut **transaction).await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Executes a statement with the rows as `{given}` and the time as `$2`.
    pub(crate) async fn write<R: Columns>(
        &mut self,
        text: &str,
        rows: &[R],
        at: Timestamp,
    ) -> Result<u64, Error> {
        self.execute(&Statement::writing::<R>(text).bind(given(rows)).bind(at)).await
    }

    pub(crate) async fn all<R: FromRow>(&mut self, statement: Statement) -> Result<Vec<R>, Error> {
        decoded(&self.rows(&statement.reading::<R>()).await?)
    }

    pub(crate) async fn first<R: FromRow>(&mut self, statement: Statement) -> Result<Option<R>, Error> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// The one column of the first row.
    pub(crate) async fn scalar<T: Column>(&mut self, statement: Statement) -> Result<Option<T>, Error> {
        self.first(statement).await.map(scalar)
    }

    pub(crate) async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, Error> {
        self.count();
        match &mut self.open {
            Open::Sqlite(transaction) => {
                let query = statement.bound::<Sqlite>(Dialect::Sqlite);
                let rows = query.fetch_all(&mut **transaction).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Open::Postgres(transaction) => {
                let query = statement.bound::<Postgres>(Dialect::Postgres);
                let rows = query.fetch_all(&mut **transaction).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.count();
        match self.open {
            Open::Sqlite(transaction) => Ok(transaction.commit().await?),
            Open::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}
