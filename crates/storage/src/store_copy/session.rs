//! A separate connection to a store, as the owner of its tables.

use std::path::PathBuf;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, Postgres, Row as _, Sqlite, SqliteConnection};

use crate::error::Error;
use crate::open_error::OpenError;
use crate::postgres::{Primary, Urls, connect, parse, place};
use crate::row::{DatabaseRow, FromRow, decoded};
use crate::sqlite::owner_options;
use crate::statement::{Dialect, Statement};

#[derive(Clone)]
pub enum StorePlace {
    /// The path of an SQLite file.
    Sqlite(PathBuf),
    /// A URL of PostgreSQL, with the password.
    Postgres(String),
}

pub(crate) enum CopySession {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl StorePlace {
    /// The path, or host, port and name, for messages.
    ///
    /// # Errors
    /// [`OpenError::Url`].
    pub fn shown(&self) -> Result<String, OpenError> {
        Ok(match self {
            Self::Sqlite(path) => {
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
            }
            Self::Postgres(url) => place(parse(url)?.first()),
        })
    }

    /// The migrations of this program, and the schema version of the store. Changes nothing.
    pub(crate) async fn schema(&self) -> Result<(&'static Migrator, Option<i64>), OpenError> {
        Ok(match self {
            Self::Sqlite(path) => (&*crate::sqlite::MIGRATOR, crate::sqlite::schema_of(path).await?),
            Self::Postgres(url) => (&*crate::postgres::MIGRATOR, crate::postgres::schema_of(url).await?),
        })
    }

    /// Creates the store if necessary and migrates its schema.
    pub(super) async fn migrate(&self) -> Result<(), OpenError> {
        match self {
            Self::Sqlite(path) => crate::sqlite::migrate(path).await,
            Self::Postgres(url) => crate::postgres::migrate(url).await,
        }
    }
}

/// Set by statements, because poolers do not pass on startup options.
const SETTINGS: &str = "SET jit = off; SET statement_timeout = 0";

impl CopySession {
    pub(crate) async fn open(place: &StorePlace) -> Result<Self, OpenError> {
        Ok(match place {
            StorePlace::Postgres(url) => {
                let Primary { server, .. } = Urls::from(url).primary().await?;
                let failed = OpenError::at(&server);
                let mut connection = Box::new(connect(&server).await?);
                sqlx::raw_sql(SETTINGS).execute(&mut *connection).await.map_err(failed)?;
                Self::Postgres(connection)
            }
            StorePlace::Sqlite(path) => {
                let failed = |cause: sqlx::Error| OpenError::Open {
                    database: path.display().to_string(),
                    cause: cause.into(),
                };
                Self::Sqlite(Box::new(owner_options(path).connect().await.map_err(failed)?))
            }
        })
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Starts a snapshot: until the next commit, all tables are read as of this moment.
    pub(super) async fn begin_snapshot(&mut self) -> Result<(), Error> {
        match self.dialect() {
            Dialect::Sqlite => self.run("BEGIN").await,
            Dialect::Postgres => {
                const SEES_NOTHING: &str =
                    "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'tenants'::regclass";
                self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                if self.all::<(bool,)>(Statement::from_text(SEES_NOTHING)).await? == [(true,)] {
                    self.run("SET LOCAL ROLE latchkey_operator").await?;
                }
                Ok(())
            }
        }
    }

    /// Starts a transaction of the owner, which can see and write all rows.
    pub(super) async fn begin_writing(&mut self) -> Result<(), Error> {
        match self.dialect() {
            Dialect::Sqlite => self.run("BEGIN IMMEDIATE").await,
            Dialect::Postgres => self.run("BEGIN; SELECT latchkey_force_wall(false)").await,
        }
    }

    pub(super) async fn end_writing(&mut self) -> Result<(), Error> {
        match self.dialect() {
            Dialect::Sqlite => self.run("COMMIT").await,
            Dialect::Postgres => self.run("SELECT latchkey_force_wall(true); COMMIT").await,
        }
    }

    /// Executes SQL without arguments. The text may contain several statements.
    pub(super) async fn run(&mut self, text: impl Into<String>) -> Result<(), Error> {
        let text = sqlx::raw_sql(AssertSqlSafe(text.into()));
        match self {
            Self::Sqlite(connection) => text.execute(&mut **connection).await.map(|_| ())?,
            Self::Postgres(connection) => text.execute(&mut **connection).await.map(|_| ())?,
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => {
                statement.bound::<Sqlite>(Dialect::Sqlite).execute(&mut **connection).await?;
            }
            Self::Postgres(connection) => {
                statement.bound::<Postgres>(Dialect::Postgres).execute(&mut **connection).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn all<R: FromRow>(&mut self, statement: Statement) -> Result<Vec<R>, Error> {
        let rows: Vec<DatabaseRow> = match self {
            Self::Sqlite(connection) => {
                let query = statement.bound::<Sqlite>(Dialect::Sqlite);
                query.fetch_all(&mut **connection).await?.into_iter().map(DatabaseRow::Sqlite).collect()
            }
            Self::Postgres(connection) => {
                let query = statement.bound::<Postgres>(Dialect::Postgres);
                query.fetch_all(&mut **connection).await?.into_iter().map(DatabaseRow::Postgres).collect()
            }
        };
        decoded(&rows)
    }

    /// Returns the only text column of each row.
    pub(super) fn texts(&mut self, text: String) -> BoxStream<'_, Result<String, Error>> {
        let text = AssertSqlSafe(text);
        match self {
            Self::Sqlite(connection) => {
                sqlx::query(text).fetch(&mut **connection).map(|row| Ok(row?.try_get(0)?)).boxed()
            }
            Self::Postgres(connection) => {
                sqlx::query(text).fetch(&mut **connection).map(|row| Ok(row?.try_get(0)?)).boxed()
            }
        }
    }
}
