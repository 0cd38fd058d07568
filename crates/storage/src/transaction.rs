//! Transactions of either engine. Counts their statements.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use administration::kinds::Invalidation;
use futures_util::TryStreamExt as _;
use sqlx::{Executor as _, Postgres, Sqlite};
use tenancy::{StoreError, TenantId, Turn};
use values::Timestamp;

use crate::change_log::LOG;
use crate::column::ColumnValue;
use crate::columns::Columns;
use crate::error::{Error, may_have_committed, within};
use crate::postgres::{PostgresPools, Role};
use crate::row::{DatabaseRow, FromRow, decoded, scalar};
use crate::rows::log_row;
use crate::statement::{Dialect, Statement};

/// PostgreSQL cancels a statement after 30 s. If there is no answer for longer, the connection is dead, or
/// the commit waits for a synchronous standby: PostgreSQL does not cancel this wait, so a commit that is
/// answered is replicated.
const LONGEST_COMMIT: Duration = Duration::from_secs(35);

/// Up to this number, statements are sent one by one as prepared statements. More statements are combined
/// into one message, which the server must plan each time.
const PREPARED: usize = 2;

/// A running transaction. Dropping it rolls it back.
pub(crate) struct Transaction<'d> {
    open: Open<'d>,
    statements: &'d AtomicU64,
    /// The tenant's turn at the connections. It is released after the connection is returned.
    turn: Option<Turn>,
    only_reads: bool,
    /// Whether the transaction has logged changes.
    has_logged: bool,
}

pub(crate) enum Open<'d> {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>, &'d PostgresPools, Role),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum TransactionPurpose<'t> {
    /// Several reads of one snapshot, with the turn of this tenant.
    Reads(Option<&'t TenantId>),
    /// Writes across tenants.
    Writes,
    /// A commit across tenants. Commits across tenants run one after another. The rows of the tenants are not
    /// locked.
    Commit,
    /// A commit that writes only rows of this tenant. Commits of one tenant run one after another.
    CommitOf(&'t TenantId),
    /// A commit that deletes this tenant or its clients. No write across tenants runs at the same time,
    /// because it could write rows of the deleted tenant.
    DeletionOf(&'t TenantId),
    /// Writes of a request to rows of this tenant only.
    WritesOf(&'t TenantId),
}

impl<'t> TransactionPurpose<'t> {
    /// The tenant whose turn the transaction uses. Work across tenants takes no turn.
    pub(crate) fn tenant(self) -> Option<&'t TenantId> {
        match self {
            Self::Reads(tenant) => tenant,
            Self::Writes | Self::Commit => None,
            Self::CommitOf(tenant) | Self::DeletionOf(tenant) | Self::WritesOf(tenant) => Some(tenant),
        }
    }
}

impl<'d> Transaction<'d> {
    pub(crate) fn new(
        open: Open<'d>,
        turn: Option<Turn>,
        purpose: TransactionPurpose<'_>,
        statements: &'d AtomicU64,
    ) -> Self {
        Self {
            open,
            statements,
            turn,
            only_reads: matches!(purpose, TransactionPurpose::Reads(_)),
            has_logged: false,
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.open {
            Open::Sqlite(_) => Dialect::Sqlite,
            Open::Postgres(..) => Dialect::Postgres,
        }
    }

    /// Returns the number of rows touched.
    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64, Error> {
        self.count();
        match &mut self.open {
            Open::Sqlite(transaction) => {
                let done = statement.bound::<Sqlite>(Dialect::Sqlite).execute(&mut **transaction).await?;
                Ok(done.rows_affected())
            }
            Open::Postgres(transaction, pools, role) => {
                let done = pools.bound(statement, *role).execute(&mut **transaction).await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Executes statements that do not depend on each other. Returns the number of rows that each touched.
    pub(crate) async fn execute_all(&mut self, statements: &[Statement]) -> Result<Vec<u64>, Error> {
        let Open::Sqlite(transaction) = &mut self.open else {
            let mut touched = Vec::new();
            for statement in statements {
                touched.push(self.execute(statement).await?);
            }
            return Ok(touched);
        };
        self.statements.fetch_add(statements.len() as u64, Ordering::Relaxed);
        let done = transaction.execute_many(Statement::all_bound(statements));
        Ok(done.map_ok(|done| done.rows_affected()).try_collect().await?)
    }

    /// Executes statements in order; more than [`PREPARED`] of them in one message to PostgreSQL. Fails if a
    /// statement does not touch its required number of rows. The caller must roll back in that case.
    pub(crate) async fn execute_required(
        &mut self,
        statements: &[(Statement, Option<u64>)],
    ) -> Result<(), Error> {
        if let Open::Postgres(transaction, pools, _) = &mut self.open
            && statements.len() > PREPARED
        {
            self.statements.fetch_add(1, Ordering::Relaxed);
            let all = Statement::all_required(statements).persistent(pools.names_statements());
            let is_whole: bool = all.fetch_one(&mut **transaction).await?;
            return if is_whole { Ok(()) } else { Err(Error::Stale) };
        }
        for (statement, required) in statements {
            let touched = self.execute(statement).await?;
            if required.is_some_and(|required| required != touched) {
                return Err(Error::Stale);
            }
        }
        Ok(())
    }

    /// Records that changes were logged, so that the other replicas are notified after the commit.
    pub(crate) fn note_logged(&mut self, changed: &[Invalidation]) {
        self.has_logged |= !changed.is_empty();
    }

    /// Logs changed rows for the caches of all processes.
    pub(crate) async fn log(&mut self, changed: &[Invalidation], at: Timestamp) -> Result<(), Error> {
        self.note_logged(changed);
        let rows: Vec<_> = changed.iter().map(log_row).collect();
        self.write(&LOG, &rows, at).await.map(drop)
    }

    /// Executes a statement with the rows as `{given}` and the time as `$2`.
    pub(crate) async fn write<R: Columns>(
        &mut self,
        text: &str,
        rows: &[R],
        at: Timestamp,
    ) -> Result<u64, Error> {
        self.execute(&Statement::of_rows(text, rows, at)).await
    }

    pub(crate) async fn all<R: FromRow>(&mut self, statement: Statement) -> Result<Vec<R>, Error> {
        decoded(&self.rows(&statement.reading::<R>()).await?)
    }

    pub(crate) async fn first<R: FromRow>(&mut self, statement: Statement) -> Result<Option<R>, Error> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// The only column of the first row.
    pub(crate) async fn scalar<T: ColumnValue>(&mut self, statement: Statement) -> Result<Option<T>, Error> {
        self.first(statement).await.map(scalar)
    }

    pub(crate) async fn rows(&mut self, statement: &Statement) -> Result<Vec<DatabaseRow>, Error> {
        self.count();
        match &mut self.open {
            Open::Sqlite(transaction) => {
                let query = statement.bound::<Sqlite>(Dialect::Sqlite);
                let rows = query.fetch_all(&mut **transaction).await?;
                Ok(rows.into_iter().map(DatabaseRow::Sqlite).collect())
            }
            Open::Postgres(transaction, pools, role) => {
                let query = pools.bound(statement, *role);
                let rows = query.fetch_all(&mut **transaction).await?;
                Ok(rows.into_iter().map(DatabaseRow::Postgres).collect())
            }
        }
    }

    /// After an error before COMMIT, nothing was written. After an error of COMMIT itself, the result may be
    /// unknown, because the engine may have committed before its answer was lost.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.count();
        let _turn = self.turn;
        let committed = match self.open {
            Open::Sqlite(transaction) => transaction.commit().await,
            Open::Postgres(transaction, pools, _) => {
                let committed = within(LONGEST_COMMIT, transaction.commit()).await;
                if self.has_logged {
                    pools.announce();
                }
                committed
            }
        };
        committed.map_err(|error| {
            let may_be_done = !self.only_reads && may_have_committed(&error);
            if may_be_done { StoreError::unknown_outcome(error).into() } else { error.into() }
        })
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}
