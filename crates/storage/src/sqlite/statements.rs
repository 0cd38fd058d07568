//! Counts statements where they are executed, so that none can be forgotten: connections are only handed out wrapped in this.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::sqlite::{SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo};
use sqlx::{Either, Error, Execute, Executor, SqlStr, Sqlite};

/// An executor whose statements are counted.
#[derive(Debug)]
pub(crate) struct Counted<'s, E> {
    inner: E,
    statements: &'s AtomicU64,
}

impl<'s, E> Counted<'s, E> {
    pub(crate) fn new(inner: E, statements: &'s AtomicU64) -> Self {
        Self { inner, statements }
    }

    fn count(self) -> E {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.inner
    }
}

impl<'c, C: Executor<'c, Database = Sqlite>> Executor<'c> for Counted<'_, C> {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<SqliteQueryResult, SqliteRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        self.count().fetch_many(query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<SqliteRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        self.count().fetch_optional(query)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, Result<SqliteStatement, Error>>
    where
        'c: 'e,
    {
        self.count().prepare_with(sql, parameters)
    }
}
