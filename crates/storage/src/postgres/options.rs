//! The number of connections, and the role of each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use sqlx::PgPool;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

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

/// When the pools moved to another server, if they ever did.
pub(crate) type Moved = Arc<Mutex<Option<Instant>>>;

/// The role of a session. It belongs to the session and not to each transaction, so that a lookup is one
/// statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The login itself: migrations, and everything where the roles cannot be used.
    Login,
    /// Sees the rows of the tenant that was entered.
    App,
    /// Sees the rows of all tenants.
    Operator,
}

impl PostgresOptions {
    pub(crate) fn readers(
        &self,
        server: &PgConnectOptions,
        row_level_security: bool,
        moved: &Moved,
    ) -> PgPool {
        let pool = leaving(moved).max_connections(self.readers.max(1)).acquire_timeout(READER_CONNECT);
        pool.connect_lazy_with(reading(server, row_level_security, self.patience))
    }

    pub(crate) fn administrators(
        &self,
        server: &PgConnectOptions,
        row_level_security: bool,
        moved: &Moved,
    ) -> PgPool {
        let pool = leaving(moved).max_connections(self.administrators.max(1));
        pool.acquire_timeout(ADMINISTRATION_WAIT)
            .connect_lazy_with(administration(server, row_level_security))
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

/// A pool with one connection, which is opened when it is needed.
pub(crate) fn single(server: PgConnectOptions) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    pool.acquire_timeout(ADMINISTRATION_WAIT).connect_lazy_with(server)
}

/// For requests.
pub(crate) fn reading(
    server: &PgConnectOptions,
    row_level_security: bool,
    longest: Duration,
) -> PgConnectOptions {
    let role = if row_level_security { Role::App } else { Role::Login };
    session(server, role, longest)
}

/// A connection for work across tenants, and for reading one. Every page is in the order of an index, and all
/// other rows are found by their key. The planner knows only the average of all tenants, and would read and
/// sort all rows of a tenant that has a thousand times as many.
pub(crate) fn administration(server: &PgConnectOptions, row_level_security: bool) -> PgConnectOptions {
    let role = if row_level_security { Role::Operator } else { Role::Login };
    let in_order = [("enable_bitmapscan", "off"), ("max_parallel_workers_per_gather", "0")];
    session(server, role, ADMINISTRATION_STATEMENT).options(in_order)
}

/// The session has no `jit`: every statement reads few rows by an index. If the planner expects more rows,
/// compiling the plan takes the server longer than the statement (165 ms and 3 ms for the clients with due
/// logout notices).
fn session(server: &PgConnectOptions, role: Role, longest: Duration) -> PgConnectOptions {
    let options = server.clone().options([("jit", "off")]);
    let options = options.options([("statement_timeout", longest.as_millis())]);
    match role {
        Role::Login => options,
        Role::App => options.options([("role", "latchkey_app")]),
        Role::Operator => options.options([("role", "latchkey_operator")]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_session_has_its_statements_compiled() {
        let server: PgConnectOptions = "postgres://latchkey@localhost/rows".parse().unwrap();
        let reader = session(&server, Role::App, Duration::from_millis(250));
        for session in [reader, administration(&server, true), administration(&server, false)] {
            let options = session.get_options().unwrap_or_default();
            assert!(options.contains("-c jit=off") && options.contains("-c statement_timeout="), "{options}");
        }
    }
}
