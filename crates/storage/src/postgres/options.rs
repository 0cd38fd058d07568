//! The number of connections, and the role of each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

/// How long a connection for requests may take to be opened. No request waits that long.
const READER_CONNECT: Duration = Duration::from_secs(5);
/// How long administration waits for a connection.
pub(crate) const ADMINISTRATION_WAIT: Duration = Duration::from_secs(2);
/// The number does not depend on the cores: each connection waits for the disk of the server, which writes
/// many commits at once.
const ADMINISTRATORS: u32 = 8;
/// Onboarding thousands of tenants, or waiting for a replica that does.
const ADMINISTRATION_STATEMENT: Duration = Duration::from_secs(30);

/// How a database is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Connections on which requests read.
    pub readers: u32,
    /// Connections for everything else: administration, new keys, other processes' changes.
    pub administrators: u32,
    /// How long a request waits for a connection, and then for its answer, before its caller gets an error.
    pub patience: Duration,
}

impl Default for PostgresOptions {
    /// The readers depend on the cores of this machine: caches answer nearly all requests, and a reader is
    /// busy for a millisecond. A read that takes 250 ms waits behind something that will not end in time.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(64));
        let cores = u32::try_from(cores).unwrap_or(1);
        Self {
            readers: (2 * cores).clamp(4, 32),
            administrators: ADMINISTRATORS,
            patience: Duration::from_millis(250),
        }
    }
}

/// The mark of a session of this version: the lock is held as long as the session, and excludes nothing.
const MARK: &str = "SELECT pg_advisory_lock_shared(7810204517302013)";

/// When the pools moved to another server, if they ever did.
pub(crate) type Moved = Arc<Mutex<Option<Instant>>>;

/// The role of a session or a transaction. A session has one, so that a lookup is one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The login itself: migrations, and everything where the roles cannot be used.
    Login,
    /// Sees the rows of the tenant that was entered.
    App,
    /// Sees and writes the rows of the tenant that was entered.
    Writer,
    /// Sees the rows of all tenants.
    Operator,
}

impl Role {
    /// The name, unless it is that of the login.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Login => None,
            Self::App => Some("latchkey_app"),
            Self::Writer => Some("latchkey_writer"),
            Self::Operator => Some("latchkey_operator"),
        }
    }

    /// Takes the role until the end of the transaction.
    pub(crate) fn taken_locally(self) -> String {
        self.name().map(|name| format!("; SET LOCAL ROLE {name}")).unwrap_or_default()
    }
}

/// What all sessions of a store have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionOptions {
    pub(crate) row_level_security: bool,
    pub(crate) only_reads: bool,
}

impl SessionOptions {
    pub(crate) fn reader(self) -> Role {
        if self.row_level_security { Role::App } else { Role::Login }
    }

    /// The role for work across tenants, and for reading one.
    pub(crate) fn administrator(self) -> Role {
        if self.row_level_security { Role::Operator } else { Role::Login }
    }

    /// The settings of a session for requests.
    fn reading(self, longest: Duration) -> String {
        self.settings(self.reader(), longest)
    }

    /// The settings of a session for all other work. Every page is in the order of an index, and all other
    /// rows are found by their key. The planner knows only the average of all tenants, and would read and
    /// sort all rows of a tenant that has a thousand times as many.
    fn administration(self) -> String {
        let settings = self.settings(self.administrator(), ADMINISTRATION_STATEMENT);
        format!("SET enable_bitmapscan = off; SET max_parallel_workers_per_gather = 0; {settings}")
    }

    /// The session has no `jit`: every statement reads few rows by an index. If the planner expects more
    /// rows, compiling the plan takes the server longer than the statement (165 ms and 3 ms for the clients
    /// with due logout notices).
    fn settings(self, role: Role, longest: Duration) -> String {
        let only_reads = if self.only_reads { "SET default_transaction_read_only = on; " } else { "" };
        let role = role.name().map(|name| format!("; SET ROLE {name}")).unwrap_or_default();
        format!("{MARK}; {only_reads}SET jit = off; SET statement_timeout = {}{role}", longest.as_millis())
    }
}

impl PostgresOptions {
    pub(crate) fn readers(
        &self,
        server: PgConnectOptions,
        sessions: SessionOptions,
        moved: &Moved,
    ) -> PgPool {
        let pool = leaving(moved).max_connections(self.readers.max(1)).acquire_timeout(READER_CONNECT);
        with_settings(pool, sessions.reading(self.patience)).connect_lazy_with(server)
    }

    pub(crate) fn administrators(
        &self,
        server: PgConnectOptions,
        sessions: SessionOptions,
        moved: &Moved,
    ) -> PgPool {
        let pool = leaving(moved).max_connections(self.administrators.max(1));
        with_settings(pool.acquire_timeout(ADMINISTRATION_WAIT), sessions.administration())
            .connect_lazy_with(server)
    }
}

/// A pool that closes the connections of before the move.
fn leaving(moved: &Moved) -> PgPoolOptions {
    let moved = Arc::clone(moved);
    PgPoolOptions::new().before_acquire(move |_, PoolConnectionMetadata { age, .. }| {
        let moved = *moved.lock().unwrap_or_else(PoisonError::into_inner);
        async move { Ok(moved.is_none_or(|moved| age < moved.elapsed())) }.boxed()
    })
}

/// A pool with one connection for administration, which is opened when it is needed.
pub(crate) fn single(server: PgConnectOptions, sessions: SessionOptions) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    with_settings(pool.acquire_timeout(ADMINISTRATION_WAIT), sessions.administration())
        .connect_lazy_with(server)
}

/// Statements set a session, and not options of its start, which poolers refuse or ignore.
fn with_settings(pool: PgPoolOptions, settings: String) -> PgPoolOptions {
    let settings: Arc<str> = settings.into();
    pool.after_connect(move |connection, _| {
        let settings = sqlx::raw_sql(AssertSqlSafe(settings.to_string()));
        Box::pin(async move { settings.execute(connection).await.map(drop) })
    })
}

/// The name of a database for operators.
pub(crate) fn place(server: &PgConnectOptions) -> String {
    format!("{}/{}", address(server), server.get_database().unwrap_or_else(|| server.get_username()))
}

/// The host or the folder of the socket, and the port.
pub(crate) fn address(server: &PgConnectOptions) -> String {
    match server.get_socket() {
        Some(socket) => format!("{}:{}", socket.display(), server.get_port()),
        None => format!("{}:{}", server.get_host(), server.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_session_has_its_statements_compiled() {
        for row_level_security in [true, false] {
            let sessions = SessionOptions { row_level_security, only_reads: false };
            for settings in [sessions.reading(Duration::from_millis(250)), sessions.administration()] {
                assert!(settings.contains("SET jit = off"), "{settings}");
                assert!(settings.contains("SET statement_timeout = "), "{settings}");
                assert_eq!(settings.contains("; SET ROLE latchkey_"), row_level_security, "{settings}");
            }
        }
    }
}
