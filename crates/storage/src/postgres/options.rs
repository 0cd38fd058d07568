//! The number of connections, and the role of each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

use crate::postgres::schema::Roles;

/// The time limit for opening a connection for requests. It is longer than a request waits.
const READER_CONNECT: Duration = Duration::from_secs(5);
/// How long administration waits for a connection.
pub(crate) const ADMINISTRATION_WAIT: Duration = Duration::from_secs(2);
/// Independent of the number of cores, because each connection mostly waits for the server's disk, and the
/// server writes many commits together.
const ADMINISTRATORS: u32 = 8;
/// Long enough to onboard thousands of tenants, or to wait for another replica that does so.
const ADMINISTRATION_STATEMENT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The number of connections for reads of requests.
    pub readers: u32,
    /// The number of connections for all other work: administration, new keys, changes of other processes.
    pub administrators: u32,
    /// How long a request waits for a connection and an answer before its caller gets an error.
    pub patience: Duration,
}

impl Default for PostgresOptions {
    /// The number of readers depends on the cores of this machine: caches answer nearly all requests, and a
    /// reader is busy for about a millisecond. A read that takes 250 ms is blocked, and waiting longer would
    /// not help.
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

/// Marks a session of the current version with a shared advisory lock. The session holds the lock until it
/// ends; the lock blocks nobody.
const MARK: &str = "SELECT pg_advisory_lock_shared(7810204517302013)";

/// When the pools last moved to another server. `None` if they never did.
pub(crate) type Moved = Arc<Mutex<Option<Instant>>>;

/// The role of a session or a transaction. Sessions have a fixed role, so that a lookup needs only one
/// statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The login itself, for migrations, and for all work if the login cannot act as the roles.
    Login,
    /// Sees the rows of the entered tenant.
    App,
    /// Sees and writes the rows of the entered tenant.
    Writer,
    /// Sees the rows of all tenants.
    Operator,
}

impl Role {
    /// `None` for the login, which needs no `SET ROLE`.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Login => None,
            Self::App => Some("latchkey_app"),
            Self::Writer => Some("latchkey_writer"),
            Self::Operator => Some("latchkey_operator"),
        }
    }

    /// SQL that sets the role until the end of the transaction.
    pub(crate) fn taken_locally(self) -> String {
        self.name().map(|name| format!("; SET LOCAL ROLE {name}")).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionOptions {
    pub(crate) roles: Roles,
    pub(crate) only_reads: bool,
    /// Whether a pooler may run each transaction in another session. Sessions then have no settings, and each
    /// transaction has its own.
    pub(crate) pools_transactions: bool,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// Requests, whose statements may take this long.
    Requests(Duration),
    /// Everything else.
    Administration,
}

impl SessionOptions {
    pub(crate) fn reader(self) -> Role {
        if self.roles.row_level_security { Role::App } else { Role::Login }
    }

    /// The role for work across tenants, and for administrative reads of one tenant.
    pub(crate) fn administrator(self) -> Role {
        if self.roles.row_level_security { Role::Operator } else { Role::Login }
    }

    /// The options for sessions that no pooler gives to others.
    pub(crate) fn direct(self) -> Self {
        Self { pools_transactions: false, ..self }
    }

    /// SQL for a new session. `None` if a pooler may give the session to others.
    fn of_session(self, work: Work) -> Option<String> {
        if self.pools_transactions {
            return None;
        }
        let only_reads = if self.only_reads { "; SET default_transaction_read_only = on" } else { "" };
        let role = match work {
            Work::Requests(_) => self.reader(),
            Work::Administration => self.administrator(),
        };
        let role = role.name().map(|name| format!("; SET ROLE {name}")).unwrap_or_default();
        Some(format!("{MARK}{only_reads}{}{role}", work.settings("SET")))
    }

    /// SQL that follows the `BEGIN` of a transaction, or precedes its only statement.
    pub(crate) fn of_transaction(self, role: Role, work: Work) -> String {
        let settings = if self.pools_transactions { work.settings("SET LOCAL") } else { String::new() };
        role.taken_locally() + &settings
    }
}

impl Work {
    /// Switches `jit` off, because every statement reads few rows by an index. If the planner expects more
    /// rows, compiling takes far longer than the statement itself (165 ms against 3 ms for the clients with
    /// due logout notices).
    ///
    /// Bitmap scans are off for administration, because every page follows an index and every other row is
    /// found by its key. The planner knows only the average size of a tenant and would otherwise read and
    /// sort all rows of a very large tenant.
    fn settings(self, set: &str) -> String {
        let (longest, plans) = match self {
            Self::Requests(longest) => (longest, String::new()),
            Self::Administration => (
                ADMINISTRATION_STATEMENT,
                format!("; {set} enable_bitmapscan = off; {set} max_parallel_workers_per_gather = 0"),
            ),
        };
        format!("; {set} jit = off; {set} statement_timeout = {}{plans}", longest.as_millis())
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
        with_settings(pool, sessions.of_session(Work::Requests(self.patience))).connect_lazy_with(server)
    }

    pub(crate) fn administrators(
        &self,
        server: PgConnectOptions,
        sessions: SessionOptions,
        moved: &Moved,
    ) -> PgPool {
        let pool = leaving(moved).max_connections(self.administrators.max(1));
        with_settings(pool.acquire_timeout(ADMINISTRATION_WAIT), sessions.of_session(Work::Administration))
            .connect_lazy_with(server)
    }
}

/// A pool that closes connections from before the last move to another server.
fn leaving(moved: &Moved) -> PgPoolOptions {
    let moved = Arc::clone(moved);
    PgPoolOptions::new().before_acquire(move |_, PoolConnectionMetadata { age, .. }| {
        let moved = *moved.lock();
        async move { Ok(moved.is_none_or(|moved| age < moved.elapsed())) }.boxed()
    })
}

/// A pool that opens its only connection on demand, for administration.
pub(crate) fn single(server: PgConnectOptions, sessions: SessionOptions) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    with_settings(pool.acquire_timeout(ADMINISTRATION_WAIT), sessions.of_session(Work::Administration))
        .connect_lazy_with(server)
}

/// Sets session options by statements, because poolers refuse or ignore startup options.
fn with_settings(pool: PgPoolOptions, settings: Option<String>) -> PgPoolOptions {
    let Some(settings) = settings.map(Arc::<str>::from) else { return pool };
    pool.after_connect(move |connection, _| {
        let settings = sqlx::raw_sql(AssertSqlSafe(settings.to_string()));
        Box::pin(async move { settings.execute(connection).await.map(drop) })
    })
}

/// The name of the database for messages.
pub(crate) fn place(server: &PgConnectOptions) -> String {
    format!("{}/{}", address(server), server.get_database().unwrap_or_else(|| server.get_username()))
}

/// Host and port, or the folder of the socket and the port.
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
    fn session_or_transaction_has_all_settings() {
        for row_level_security in [true, false] {
            for work in [Work::Requests(Duration::from_millis(250)), Work::Administration] {
                let [kept, pooled] = [false, true].map(|pools_transactions| SessionOptions {
                    roles: Roles { row_level_security, writer: row_level_security },
                    only_reads: false,
                    pools_transactions,
                });
                let (role, session) = (kept.reader(), kept.of_session(work).unwrap());
                assert_eq!(pooled.of_session(work), None);
                let transaction = pooled.of_transaction(role, work);
                for (text, set) in [(session, "SET"), (transaction, "SET LOCAL")] {
                    assert!(
                        text.contains(&format!("; {set} jit = off; {set} statement_timeout = ")),
                        "{text}"
                    );
                    assert_eq!(
                        text.contains(&format!("; {set} ROLE latchkey_")),
                        row_level_security,
                        "{text}"
                    );
                }
                assert!(!kept.of_transaction(role, work).contains("jit"));
            }
        }
    }
}
