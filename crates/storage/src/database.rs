//! An open database: executes statements in either engine, and counts them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use administration::store::AdministrationStore;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::column::ColumnValue;
use crate::error::{Error, repeated};
use crate::lost_changes::SeenChanges;
use crate::postgres::PostgresPools;
use crate::row::{DatabaseRow, FromRow, decoded, scalar};
use crate::sqlite::SqlitePools;
use crate::statement::{Access, Dialect, Statement};
use crate::transaction::{Open, Transaction, TransactionPurpose};

/// An open database. Implements the store traits of all domain crates.
#[derive(Debug)]
pub struct Database {
    pub(crate) engine: DatabaseEngine,
    pub(crate) statements: Arc<AtomicU64>,
    /// Seconds: the store's clock when a sealed value was last read, or 0 if none has been read.
    pub(crate) store_clock: AtomicU64,
    pub(crate) seen: Arc<SeenChanges>,
}

pub(crate) enum DatabaseEngine {
    Sqlite(SqlitePools),
    Postgres(Box<PostgresPools>),
}

impl AdministrationStore for Database {}

impl From<DatabaseEngine> for Database {
    fn from(engine: DatabaseEngine) -> Self {
        Self { engine, statements: Arc::default(), store_clock: AtomicU64::new(0), seen: Arc::default() }
    }
}

impl Database {
    /// Whether the database is an SQLite file.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.engine, DatabaseEngine::Sqlite(_))
    }

    /// A warning for operators that row level security is off, or off for commits. It is also logged when the
    /// database is opened.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        match &self.engine {
            DatabaseEngine::Sqlite(_) => None,
            DatabaseEngine::Postgres(pools) => pools.warning(),
        }
    }

    /// The store's clock when a sealed value was last read from it. `None` if none has been read.
    #[must_use]
    pub fn store_clock(&self) -> Option<Timestamp> {
        let seconds = self.store_clock.load(Ordering::Relaxed);
        (seconds > 0).then(|| Timestamp::from_seconds(seconds))
    }

    /// The number of statements executed so far, with `BEGIN` and `COMMIT`. A warm token request executes
    /// none. Statements of the change feed do not count.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The number of open connections to PostgreSQL, and how many of them are idle. `None` for SQLite.
    #[must_use]
    pub fn connections(&self) -> Option<(u32, usize)> {
        match &self.engine {
            DatabaseEngine::Sqlite(_) => None,
            DatabaseEngine::Postgres(pools) => Some(pools.connections()),
        }
    }

    /// Sets the password for new connections to PostgreSQL. Open connections stay open.
    pub fn use_password(&self, password: &str) {
        if let DatabaseEngine::Postgres(pools) = &self.engine {
            pools.use_password(password);
        }
    }

    /// Whether the store accepts writes. The question uses a connection for requests.
    ///
    /// # Errors
    /// If there is no connection for requests.
    pub async fn takes_writes(&self) -> Stored<bool> {
        match &self.engine {
            DatabaseEngine::Sqlite(_) => Ok(true),
            DatabaseEngine::Postgres(pools) => Ok(pools.takes_writes().await.map_err(Error::from)?),
        }
    }

    /// Connects to the server that accepts writes, if the URL names several servers. Call it when the current
    /// server does not answer or refuses writes.
    pub async fn follow(&self) {
        if let DatabaseEngine::Postgres(pools) = &self.engine {
            pools.follow().await;
        }
    }

    /// Closes all connections. SQLite moves the write-ahead log into the database file.
    pub async fn close(&self) {
        match &self.engine {
            DatabaseEngine::Sqlite(pools) => pools.close().await,
            DatabaseEngine::Postgres(pools) => pools.close().await,
        }
    }

    /// Executes one statement of a request that writes rows of one tenant, and returns its rows. In
    /// PostgreSQL the statement itself enters the tenant.
    pub(crate) async fn write_one(&self, statement: &Statement) -> Result<Vec<DatabaseRow>, Error> {
        match &self.engine {
            DatabaseEngine::Sqlite(pools) => {
                self.count();
                Ok(pools.write(statement).await?)
            }
            DatabaseEngine::Postgres(pools) => pools.write_of_request(statement, &self.statements).await,
        }
    }

    /// Returns all rows of a request's statement. Fails if the time limit of a request is exceeded.
    pub(crate) async fn look_up<R: FromRow>(&self, statement: Statement) -> Result<Vec<R>, Error> {
        let statement = statement.reading::<R>();
        let rows = match &self.engine {
            DatabaseEngine::Sqlite(pools) => pools.look_up(&statement, &self.statements).await?,
            DatabaseEngine::Postgres(pools) => pools.look_up(&statement, &self.statements).await?,
        };
        decoded(&rows)
    }

    /// Returns all rows of a statement, without the time limit of a request. A statement without a tenant
    /// reads across tenants.
    pub(crate) async fn read<R: FromRow>(&self, statement: Statement) -> Result<Vec<R>, Error> {
        let statement = statement.reading::<R>();
        let rows = match &self.engine {
            DatabaseEngine::Sqlite(pools) => {
                self.count();
                pools.read(&statement).await?
            }
            DatabaseEngine::Postgres(_) if statement.is_in_tenant() => {
                let mut transaction = self.begin(TransactionPurpose::Reads(statement.tenant())).await?;
                let rows = transaction.rows(&statement).await?;
                transaction.commit().await?;
                rows
            }
            DatabaseEngine::Postgres(pools) => {
                self.count();
                pools.execute_alone(&statement, Access::Reads).await?
            }
        };
        decoded(&rows)
    }

    pub(crate) async fn first<R: FromRow>(&self, statement: Statement) -> Result<Option<R>, Error> {
        Ok(self.read(statement).await?.into_iter().next())
    }

    /// The only column of the statement's first row.
    pub(crate) async fn scalar<T: ColumnValue>(&self, statement: Statement) -> Result<Option<T>, Error> {
        self.first(statement).await.map(scalar)
    }

    /// Executes a statement that writes across tenants. Returns the number of rows touched.
    pub(crate) async fn write(&self, statement: Statement) -> Result<u64, Error> {
        if let DatabaseEngine::Postgres(pools) = &self.engine {
            self.count();
            let rows = pools.execute_alone(&statement, Access::Writes).await?;
            return Ok(scalar::<i64>(decoded(&rows)?.pop()).unwrap_or_default().unsigned_abs());
        }
        self.write_in(TransactionPurpose::Writes, &statement).await
    }

    /// Executes one statement that writes rows of this tenant for a request. Returns the number of rows
    /// touched.
    pub(crate) async fn write_of(&self, tenant: &TenantId, statement: &Statement) -> Result<u64, Error> {
        self.write_in(TransactionPurpose::WritesOf(tenant), statement).await
    }

    /// Executes one statement as a transaction with this purpose. Returns the number of rows touched.
    pub(crate) async fn write_in(
        &self,
        purpose: TransactionPurpose<'_>,
        statement: &Statement,
    ) -> Result<u64, Error> {
        repeated!(async {
            let mut transaction = self.begin(purpose).await?;
            let touched = transaction.execute(statement).await?;
            transaction.commit().await?;
            Ok(touched)
        })
    }

    /// Deletes at most `limit` expired rows and returns their number. The caller calls again for the rest;
    /// small batches keep the locks short. `key` lists the columns of the table's primary key.
    pub(crate) async fn delete_expired(
        &self,
        table: &'static str,
        key: &'static str,
        until: Timestamp,
        early: &'static str,
        batch: u64,
    ) -> Result<u64, Error> {
        if let DatabaseEngine::Sqlite(pools) = &self.engine {
            return pools.delete_expired(table, key, until, early, batch).await;
        }
        let delete = Statement::from_text(format!(
            "DELETE FROM {table} WHERE ({key}) IN
                    (SELECT {key} FROM {table} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)"
        ));
        self.write(delete.bind(until).bind(batch)).await
    }

    pub(crate) async fn begin(&self, purpose: TransactionPurpose<'_>) -> Result<Transaction<'_>, Error> {
        self.count();
        match &self.engine {
            DatabaseEngine::Sqlite(pools) => {
                let (open, turn) = pools.begin(purpose).await?;
                Ok(Transaction::new(Open::Sqlite(open), turn, purpose, &self.statements))
            }
            DatabaseEngine::Postgres(pools) => pools.begin(purpose, &self.statements).await,
        }
    }

    /// The name of the database for messages.
    pub(crate) fn place(&self) -> String {
        match &self.engine {
            DatabaseEngine::Sqlite(pools) => pools.path.display().to_string(),
            DatabaseEngine::Postgres(pools) => pools.place(),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match &self.engine {
            DatabaseEngine::Sqlite(_) => Dialect::Sqlite,
            DatabaseEngine::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }
}

/// Shows only the name of the database, because the connection options contain the password.
impl fmt::Debug for DatabaseEngine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(pools) => formatter.debug_tuple("Sqlite").field(&pools.path).finish(),
            Self::Postgres(pools) => formatter.debug_tuple("Postgres").field(&pools.place()).finish(),
        }
    }
}
