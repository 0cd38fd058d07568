//! A transaction, which counts its statements: rows are reached through this or through `find`, so that none can be forgotten.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, Postgres};
use tenancy::TenantId;

use crate::postgres::PostgresDatabase;

const ENTER: &str = "SELECT set_config('latchkey.tenant', $1, true)";

/// A transaction under way. Dropping it takes everything back.
pub(crate) struct CountedTransaction<'d> {
    transaction: sqlx::Transaction<'static, Postgres>,
    statements: &'d AtomicU64,
}

impl PostgresDatabase {
    /// Across tenants.
    pub(crate) async fn begin(&self) -> Result<CountedTransaction<'_>, sqlx::Error> {
        self.begin_with("BEGIN").await
    }

    /// Reaches this tenant's rows only.
    pub(crate) async fn begin_in(&self, tenant: &TenantId) -> Result<CountedTransaction<'_>, sqlx::Error> {
        let begin = if self.row_level_security { "BEGIN; SET LOCAL ROLE latchkey_app" } else { "BEGIN" };
        let mut transaction = self.begin_with(begin).await?;
        transaction.execute(sqlx::query(ENTER).bind(tenant.as_str())).await?;
        Ok(transaction)
    }

    /// Several reads of one moment, of a tenant that each of them enters.
    pub(crate) async fn snapshot(&self) -> Result<CountedTransaction<'_>, sqlx::Error> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let begin_as_app = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE latchkey_app";
        self.begin_with(if self.row_level_security { begin_as_app } else { begin }).await
    }

    async fn begin_with(&self, sql: &'static str) -> Result<CountedTransaction<'_>, sqlx::Error> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let transaction = self.administrators.begin_with(sql).await?;
        Ok(CountedTransaction { transaction, statements: &self.statements })
    }
}

impl CountedTransaction<'_> {
    /// Says how many rows it touched.
    pub(crate) async fn execute(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<u64, sqlx::Error> {
        self.count();
        query.execute(&mut *self.transaction).await.map(|done| done.rows_affected())
    }

    pub(crate) async fn all<R>(
        &mut self,
        query: QueryAs<'_, Postgres, R, PgArguments>,
    ) -> Result<Vec<R>, sqlx::Error>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.count();
        query.fetch_all(&mut *self.transaction).await
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.count();
        self.transaction.commit().await
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}
