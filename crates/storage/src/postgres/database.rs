//! Opening the database: schema, wall, and the two pools, one that serves requests and one for everything else.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Handle;
use tracing::warn;

use crate::postgres::options::{self, PostgresOptions};
use crate::postgres::schema::{self, Schema};
use crate::postgres::{OpenError, error};

/// The reason, as far as an operator can fix it.
const ROW_LEVEL_SECURITY_OFF: &str = "row level security is off: this login cannot act as the roles latchkey_app and latchkey_operator, or one of \
                        them passes through it; let an administrator create both, NOLOGIN and NOBYPASSRLS, and grant them to \
                        this login, and start again";

/// A database.
pub struct PostgresDatabase {
    server: PgConnectOptions,
    pub(crate) readers: PgPool,
    pub(crate) administrators: PgPool,
    pub(crate) statements: AtomicU64,
    pub(crate) patience: Duration,
    /// Where connections are opened.
    pub(crate) runtime: Handle,
    /// Whether row level security stands and the roles can be used.
    pub(crate) row_level_security: bool,
}

impl PostgresDatabase {
    /// Opens the database and brings its schema up to date; of several replicas that start at once, one does it.
    ///
    /// # Errors
    /// [`OpenError`], and nothing is changed in a database whose schema is newer than this program.
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let server = parse(url)?;
        let row_level_security = schema::migrate(&server).await?;
        if !row_level_security {
            warn!(database = error::place(&server), "{ROW_LEVEL_SECURITY_OFF}");
        }
        Self::over(server, options, row_level_security).connect_both().await
    }

    /// Opens the database without changing anything. Where there is no schema yet, there is nothing to open.
    ///
    /// # Errors
    /// [`OpenError`], also when the schema is not this program's: bringing it up to date would be writing.
    pub async fn open_read_only(url: &str, options: PostgresOptions) -> Result<Option<Self>, OpenError> {
        let server = parse(url)?;
        match schema::inspect(&server).await? {
            Schema::Absent => Ok(None),
            Schema::Ready { row_level_security } => {
                let server = server.options([("default_transaction_read_only", "on")]);
                Self::over(server, options, row_level_security).connect_both().await.map(Some)
            }
        }
    }

    /// Brings the schema up to date and nothing else, as a step of its own before the program is started.
    ///
    /// # Errors
    /// [`OpenError`], and nothing is changed in a database whose schema is newer than this program.
    pub async fn migrate(url: &str) -> Result<(), OpenError> {
        schema::migrate(&parse(url)?).await.map(drop)
    }

    /// What those who operate it should hear: that there is no second wall between tenants. It is logged when it is opened.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        (!self.row_level_security).then_some(ROW_LEVEL_SECURITY_OFF)
    }

    /// How many statements requests have cost so far, `BEGIN` and `COMMIT` among them: a warm token request must cost none. The
    /// change feed has its own connection and is not counted.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// How many connections are open, and how many of them are idle, for those who watch over the platform.
    #[must_use]
    pub fn connections(&self) -> (u32, usize) {
        let pools = [&self.readers, &self.administrators];
        // A pool counts a connection as idle just after it has given it to the next, and wraps round below zero in between.
        let idle = |idle: usize| isize::try_from(idle).map_or(0, |_| idle);
        (pools.iter().map(|pool| pool.size()).sum(), pools.iter().map(|pool| idle(pool.num_idle())).sum())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.administrators.close().await;
    }

    /// For a connection of its own that works across tenants.
    pub(crate) fn administration_options(&self) -> PgConnectOptions {
        options::administration(&self.server, self.row_level_security)
    }

    /// Opens a connection of each kind, so that a role that cannot be taken is found now, and the first request finds one.
    async fn connect_both(self) -> Result<Self, OpenError> {
        for pool in [&self.administrators, &self.readers] {
            match pool.acquire().await {
                // A busy machine: requests will tell whether it stays so.
                Ok(_) | Err(sqlx::Error::PoolTimedOut) => {}
                Err(cause) => return Err(OpenError::Open { database: error::place(&self.server), cause }),
            }
        }
        Ok(self)
    }

    fn over(server: PgConnectOptions, options: PostgresOptions, row_level_security: bool) -> Self {
        Self {
            readers: options.readers(&server, row_level_security),
            administrators: options.administrators(&server, row_level_security),
            server,
            patience: options.patience,
            runtime: Handle::current(),
            statements: AtomicU64::new(0),
            row_level_security,
        }
    }
}

/// The options of a connection hold its password.
impl fmt::Debug for PostgresDatabase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("PostgresDatabase").field(&error::place(&self.server)).finish()
    }
}

fn parse(url: &str) -> Result<PgConnectOptions, OpenError> {
    let options: PgConnectOptions = url.parse().map_err(|_| OpenError::Url)?;
    Ok(options.application_name("latchkey"))
}
