//! A transaction of either engine, which counts its statements.

use std::sync::atomic::{AtomicU64, Ordering};

use protocol::Timestamp;
use serde_json::Value;
use sqlx::{Postgres, Sqlite};

use crate::database::decoded;
use crate::row::{FromRow, Row};
use crate::statement::{Dialect, Statement};

/// A transaction under way. Dropping it takes everything back.
pub(crate) struct Transaction<'d> {
    open: Open,
    statements: &'d AtomicU64,
}

enum Open {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl<'d> Transaction<'d> {
    pub(crate) fn sqlite(transaction: sqlx::Transaction<'static, Sqlite>, statements: &'d AtomicU64) -> Self {
        Self { open: Open::Sqlite(transaction), statements }
    }

    pub(crate) fn postgres(
        transaction: sqlx::Transaction<'static, Postgres>,
        statements: &'d AtomicU64,
    ) -> Self {
        Self { open: Open::Postgres(transaction), statements }
    }

    /// Says how many rows it touched.
    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64, sqlx::Error> {
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

    /// Executes a statement with the rows as `{given(…)}` and the time as `$2`.
    pub(crate) async fn write(
        &mut self,
        text: &str,
        rows: &[Value],
        at: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let rows = serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
        self.execute(&Statement::of(text.to_owned()).bind(rows).bind(at)).await
    }

    pub(crate) async fn all<R: FromRow>(&mut self, statement: Statement) -> Result<Vec<R>, sqlx::Error> {
        decoded(&self.rows(&statement).await?)
    }

    pub(crate) async fn first<R: FromRow>(&mut self, statement: Statement) -> Result<Option<R>, sqlx::Error> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    pub(crate) async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error> {
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

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.count();
        match self.open {
            Open::Sqlite(transaction) => transaction.commit().await,
            Open::Postgres(transaction) => transaction.commit().await,
        }
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}
