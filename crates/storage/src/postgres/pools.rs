//! Opens the database: the schema, row level security, and two pools, one for requests and one for all other
//! work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Row as _};
use tenancy::{StoreError, TenantId, Turn};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::database::{Database, DatabaseEngine};
use crate::error::{Error, is_lost, repeated};
use crate::open_error::OpenError;
use crate::postgres::hosts::{Servers, TAKES_WRITES};
use crate::postgres::options::{
    ADMINISTRATION_WAIT, Moved, PostgresOptions, Role, SessionOptions, Work, place, single,
};
use crate::postgres::pooler::{self, Pooling};
use crate::postgres::proofs;
use crate::postgres::schema::{self, Roles, Schema};
use crate::postgres::url::parse;
use crate::row::DatabaseRow;
use crate::statement::{Access, Statement};
use crate::store_turns::StoreTurns;
use crate::transaction::{Open, Transaction, TransactionPurpose};

/// Only reasons that an operator can fix.
const ROW_LEVEL_SECURITY_OFF: &str = "row level security is off: this login cannot act as the roles \
    latchkey_app and latchkey_operator, or a role bypasses row level security; have an administrator create \
    both roles, NOLOGIN and NOBYPASSRLS, and grant them to this login, then restart";

/// Also only reasons that an operator can fix.
const WRITER_MISSING: &str = "commits of one tenant run as latchkey_operator, which can see all tenants: \
    this login cannot act as the role latchkey_writer, or row level security does not restrict that role; \
    have an administrator create the role, NOLOGIN and NOBYPASSRLS, and grant it to this login, then restart";

/// The channel of notifications of changes.
pub(super) const CHANNEL: &str = "latchkey_changes";
const NOTIFY: &str = "SELECT pg_notify('latchkey_changes', '')";

/// An advisory lock until the end of the transaction. It orders writes across tenants and deletions of
/// tenants and clients. Other writes of a single tenant do not wait for it.
const PLATFORM_LOCK: &str = "; SELECT pg_advisory_xact_lock(7810204517302012)";

/// Set if no replica of an earlier version is running. See migration 61.
const SHARED_LOG: &str = "; SET LOCAL latchkey.log = 'shared'";

/// A replica that has logged changes notifies the others after this delay, once for all changes in the
/// meantime.
const ANNOUNCE_AFTER: Duration = Duration::from_millis(5);

/// The servers of a URL with the current password, and the server in use.
pub(crate) struct Primary {
    pub(crate) servers: Servers,
    pub(crate) server: PgConnectOptions,
}

impl Primary {
    /// Chooses the server of a URL. Refuses a pooler of less than `least`.
    pub(crate) async fn find(url: &str, least: Pooling) -> Result<Self, OpenError> {
        let servers = parse(url)?.with(|server| least.name(server));
        let found = async || {
            let server = servers.choose().await?;
            pooler::refuse(&server, least).await.map(|()| server)
        };
        let server = schema::twice(found).await?;
        Ok(Self { servers, server })
    }
}

pub(crate) struct PostgresPools {
    primary: Mutex<Primary>,
    /// The same server without the pooler, if `storage.direct_url` is set.
    direct: Option<Mutex<Primary>>,
    /// When the primary moved to another server. Connections from before are closed.
    moved: Moved,
    /// Allows one search for the primary at a time.
    following: tokio::sync::Mutex<()>,
    readers: PgPool,
    administrators: PgPool,
    /// A pool that opens its only connection on demand.
    feed: PgPool,
    /// Whether the feed has found that no replica of an earlier version is running.
    is_alone: Arc<AtomicBool>,
    /// Whether a task is about to notify the other replicas.
    is_announcing: Arc<AtomicBool>,
    patience: Duration,
    /// The runtime of the tasks that open connections.
    runtime: Handle,
    sessions: SessionOptions,
    /// Fair turns between tenants at the pool for requests, and at the other pool, which requests use for
    /// writes.
    turns: StoreTurns,
}

/// The URL of a database, and optionally a URL that bypasses the pooler, for notifications and migrations.
#[derive(Clone, Copy, Debug)]
pub struct Urls<'u> {
    /// `storage.url`.
    pub url: &'u str,
    /// `storage.direct_url`.
    pub direct: Option<&'u str>,
    /// `storage.pooler: transaction`. Needs `direct`.
    pub pools_transactions: bool,
}

impl<'u, T: AsRef<str> + ?Sized> From<&'u T> for Urls<'u> {
    fn from(url: &'u T) -> Self {
        Self { url: url.as_ref(), direct: None, pools_transactions: false }
    }
}

impl Urls<'_> {
    /// The same database for work that needs sessions.
    #[must_use]
    pub fn of_sessions(self) -> Self {
        match self.direct {
            Some(direct) if self.pools_transactions => {
                Self { url: direct, direct: None, pools_transactions: false }
            }
            _ => self,
        }
    }

    pub(crate) async fn primary(self) -> Result<Primary, OpenError> {
        let least = if self.pools_transactions { Pooling::Transactions } else { Pooling::Sessions };
        Primary::find(self.url, least).await
    }
}

/// Opens the database and migrates its schema. If several replicas start at the same time, one of them
/// migrates.
///
/// # Errors
/// [`OpenError`]. A database whose schema is newer than this program is not changed.
pub async fn open<'u>(urls: impl Into<Urls<'u>>, options: PostgresOptions) -> Result<Database, OpenError> {
    let urls = urls.into();
    let primary = urls.primary().await?;
    let direct = find_direct(urls, &primary.server).await?;
    let server = &direct.as_ref().unwrap_or(&primary).server;
    let roles = schema::migrate(server).await?;
    let proven = proofs::of_server(server, roles).await?;
    let pools_transactions = urls.pools_transactions;
    let sessions = SessionOptions { roles, only_reads: false, pools_transactions };
    let pools = PostgresPools::new(primary, direct, options, sessions);
    for warning in pools.warning().into_iter().chain(proven.warning()) {
        warn!(database = pools.place(), "{warning}");
    }
    pools.connect_both().await
}

/// Opens the database without changing anything. Returns `None` if there is no schema. Needs no direct
/// connection, because it does not read the change log.
///
/// # Errors
/// [`OpenError`], also if the schema is older than this program: a migration would write.
pub async fn open_read_only<'u>(
    urls: impl Into<Urls<'u>>,
    options: PostgresOptions,
) -> Result<Option<Database>, OpenError> {
    let primary = urls.into().of_sessions().primary().await?;
    match schema::inspect(&primary.server).await? {
        Schema::Absent => Ok(None),
        Schema::Ready { roles } => {
            let sessions = SessionOptions { roles, only_reads: true, pools_transactions: false };
            PostgresPools::new(primary, None, options, sessions).connect_both().await.map(Some)
        }
    }
}

/// Only migrates the schema, as a separate step before the program starts.
///
/// # Errors
/// [`OpenError`]. A database whose schema is newer than this program is not changed.
pub async fn migrate(url: &str) -> Result<(), OpenError> {
    schema::migrate(&Urls::from(url).primary().await?.server).await.map(drop)
}

/// Checks that the direct URL leads to the same database of the same server with the same login, because the
/// login's roles are read there.
pub(crate) async fn find_direct(
    urls: Urls<'_>,
    server: &PgConnectOptions,
) -> Result<Option<Primary>, OpenError> {
    let Some(url) = urls.direct else { return Ok(None) };
    let direct = Urls::from(url).primary().await.map_err(OpenError::of_direct)?;
    let there = schema::identity(&direct.server).await.map_err(OpenError::of_direct)?;
    let here = schema::identity(server).await?;
    let differs =
        [("server", here.0 != there.0), ("database", here.1 != there.1), ("login", here.2 != there.2)];
    match differs.into_iter().find(|(_, differs)| *differs) {
        Some((what, _)) => {
            Err(OpenError::Elsewhere { direct: place(&direct.server), database: place(server), what })
        }
        None => Ok(Some(direct)),
    }
}

/// The database's schema version. `None` if there is no schema.
pub(crate) async fn schema_of(url: &str) -> Result<Option<i64>, OpenError> {
    schema::found(&Urls::from(url).primary().await?.server).await
}

impl PostgresPools {
    pub(crate) fn warning(&self) -> Option<&'static str> {
        match self.sessions.roles {
            Roles { row_level_security: false, .. } => Some(ROW_LEVEL_SECURITY_OFF),
            Roles { writer: false, .. } => Some(WRITER_MISSING),
            Roles { .. } => None,
        }
    }

    pub(crate) fn connections(&self) -> (u32, usize) {
        let pools = [&self.readers, &self.administrators];
        // sqlx can count one idle connection too few for a moment, so that the count wraps below zero.
        let idle = |idle: usize| isize::try_from(idle).map_or(0, |_| idle);
        (pools.iter().map(|pool| pool.size()).sum(), pools.iter().map(|pool| idle(pool.num_idle())).sum())
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.administrators.close().await;
    }

    pub(crate) fn place(&self) -> String {
        place(&self.primary.lock().server)
    }

    /// The pool, the role and the flag that the change feed uses. The feed sets the flag when no replica of
    /// an earlier version is running.
    pub(crate) fn feed(&self) -> (&PgPool, Role, &Arc<AtomicBool>) {
        (&self.feed, self.sessions.administrator(), &self.is_alone)
    }

    /// Notifies the other replicas after a short delay. PostgreSQL serializes the commits of transactions
    /// with a notification, so the notification has its own transaction, and commits do not wait. If the
    /// notification is lost, the other replicas read the log a little later.
    pub(crate) fn announce(&self) {
        if !self.is_alone.load(Ordering::Relaxed) || self.is_announcing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (is_announcing, pool) = (Arc::clone(&self.is_announcing), self.administrators.clone());
        self.runtime.spawn(async move {
            sleep(ANNOUNCE_AFTER).await;
            is_announcing.store(false, Ordering::Release);
            drop(sqlx::raw_sql(NOTIFY).execute(&pool).await);
        });
    }

    /// Sets the password for new connections. Open connections stay open.
    pub(crate) fn use_password(&self, password: &str) {
        for (route, pools) in self.routes() {
            let mut primary = route.lock();
            primary.server = primary.server.clone().password(password);
            primary.servers = primary.servers.clone().with(|server| server.password(password));
            connect_to(&primary.server, &pools);
        }
    }

    /// Searches for the server that accepts writes, if the URL names several, and uses it from now on.
    pub(crate) async fn follow(&self) {
        let Ok(_search) = self.following.try_lock() else { return };
        for (route, pools) in self.routes() {
            let servers = route.lock().servers.clone();
            if !servers.are_several() {
                continue;
            }
            let Ok(found) = servers.choose().await else { continue };
            let mut primary = route.lock();
            if place(&found) != place(&primary.server) {
                info!(
                    database = place(&found),
                    "another server of the store's URL accepts writes, and Latchkey now uses that server"
                );
                connect_to(&found, &pools);
                primary.server = found;
                self.leave_sessions();
            }
        }
    }

    /// Whether the store accepts writes, asked on a connection for requests. A session that refuses writes
    /// can stay read-only even after the server accepts writes again, so all open sessions are replaced then.
    pub(crate) async fn takes_writes(&self) -> Result<bool, sqlx::Error> {
        let takes_writes: bool = sqlx::raw_sql(TAKES_WRITES).fetch_one(&self.readers).await?.try_get(0)?;
        if !takes_writes {
            self.leave_sessions();
        }
        Ok(takes_writes)
    }

    /// Makes the pools close all open connections at their next use.
    fn leave_sessions(&self) {
        *self.moved.lock() = Some(Instant::now());
    }

    /// Each route to the database (pooled and direct) with its pools.
    fn routes(&self) -> Vec<(&Mutex<Primary>, Vec<&PgPool>)> {
        let pools = vec![&self.readers, &self.administrators];
        match &self.direct {
            Some(direct) => vec![(&self.primary, pools), (direct, vec![&self.feed])],
            None => vec![(&self.primary, [pools, vec![&self.feed]].concat())],
        }
    }

    /// Returns all rows of a request's statement. Waiting for a connection, reading, and a second attempt
    /// after a lost connection share one deadline, so a hanging server cannot block the request.
    pub(crate) async fn look_up(
        &self,
        statement: &Statement,
        statements: &AtomicU64,
    ) -> Result<Vec<DatabaseRow>, Error> {
        let attempts = async {
            match self.execute_of_request(statement, statements).await? {
                Err(error) if is_lost(&error) => Ok(self.execute_of_request(statement, statements).await??),
                outcome => Ok::<_, Error>(outcome?),
            }
        };
        timeout(2 * self.patience, attempts).await.map_err(StoreError::unavailable)?
    }

    /// Executes a request's write within the request's time limit and returns the rows. Does not try again
    /// after a lost connection, because the first attempt may have written.
    pub(crate) async fn write_of_request(
        &self,
        statement: &Statement,
        statements: &AtomicU64,
    ) -> Result<Vec<DatabaseRow>, Error> {
        let attempt = async { Ok(self.execute_of_request(statement, statements).await??) };
        timeout(2 * self.patience, attempt).await.map_err(StoreError::unavailable)?
    }

    async fn execute_of_request(
        &self,
        statement: &Statement,
        statements: &AtomicU64,
    ) -> Result<Result<Vec<DatabaseRow>, sqlx::Error>, Error> {
        let (mut connection, _turn) = Box::pin(self.reader(statement.tenant())).await?;
        statements.fetch_add(1, Ordering::Relaxed);
        let role = self.sessions.reader();
        let work = Work::Requests(self.patience);
        Ok(self.execute(&mut connection, statement, statement.text_as(role), (role, work)).await)
    }

    /// Executes a statement as its own transaction. A pooler of transactions gets the role, the settings and
    /// the statement in one message, whose statements PostgreSQL executes as one transaction.
    async fn execute(
        &self,
        connection: &mut PgConnection,
        statement: &Statement,
        text: String,
        (role, work): (Role, Work),
    ) -> Result<Vec<DatabaseRow>, sqlx::Error> {
        let rows = if self.sessions.pools_transactions {
            let settings = self.sessions.of_transaction(role, work);
            let message = format!("{}; {}", settings.trim_start_matches("; "), statement.inlined(&text));
            repeated!(sqlx::raw_sql(AssertSqlSafe(message.clone())).fetch_all(&mut *connection))
        } else {
            repeated!(statement.bound_text(text.clone()).fetch_all(&mut *connection))
        };
        Ok(rows?.into_iter().map(DatabaseRow::Postgres).collect())
    }

    /// Waits for a connection and holds the turn as long as the connection is in use. A separate task opens
    /// the connection, away from the workers that sign. If the request's time is up, the task still finishes,
    /// and the next request uses the connection. Otherwise a busy server that has lost its connections would
    /// start them again and again and finish none. Because the task holds the turn, at most as many
    /// connections are opened at the same time as the pool has.
    async fn reader(
        &self,
        tenant: Option<&TenantId>,
    ) -> Result<(PoolConnection<Postgres>, Option<Turn>), Error> {
        let turn = self.turns.reader(tenant, self.patience).await?;
        let readers = self.readers.clone();
        let opening = self.runtime.spawn(async move { readers.acquire().await.map(|opened| (opened, turn)) });
        let opened = timeout(self.patience, opening).await.map_err(StoreError::unavailable)?;
        Ok(opened.unwrap_or(Err(sqlx::Error::PoolClosed))?)
    }

    /// Executes a statement across tenants and returns its rows: the number of touched rows, if it writes.
    pub(crate) async fn execute_alone(
        &self,
        statement: &Statement,
        access: Access,
    ) -> Result<Vec<DatabaseRow>, sqlx::Error> {
        let role = self.sessions.administrator();
        let mut connection = self.administrators.acquire().await?;
        let text = statement.text_alone(role, access);
        self.execute(&mut connection, statement, text, (role, Work::Administration)).await
    }

    pub(crate) async fn begin<'d>(
        &'d self,
        purpose: TransactionPurpose<'_>,
        statements: &'d AtomicU64,
    ) -> Result<Transaction<'d>, Error> {
        let role = self.role(purpose);
        let settings = self.sessions.of_transaction(role, Work::Administration);
        let begin = begin(purpose, &settings, self.is_alone.load(Ordering::Relaxed));
        let turn = self.turns.writer(purpose.tenant(), ADMINISTRATION_WAIT).await?;
        let opened = self.administrators.begin_with(AssertSqlSafe(begin)).await?;
        Ok(Transaction::new(Open::Postgres(opened, self, role), turn, purpose, statements))
    }

    /// A statement within a transaction.
    pub(crate) fn bound(&self, statement: &Statement, role: Role) -> Query<'static, Postgres, PgArguments> {
        statement.bound_as(role).persistent(self.names_statements())
    }

    /// Whether statements have names. A name is known to the session that prepared the statement.
    pub(crate) fn names_statements(&self) -> bool {
        !self.sessions.pools_transactions
    }

    /// The role that each transaction sets, even if its session already has the role.
    fn role(&self, purpose: TransactionPurpose<'_>) -> Role {
        match purpose {
            TransactionPurpose::Reads(_) | TransactionPurpose::WritesOf(_) => self.sessions.reader(),
            TransactionPurpose::CommitOf(_) | TransactionPurpose::DeletionOf(_)
                if self.sessions.roles.writer =>
            {
                Role::Writer
            }
            _ => self.sessions.administrator(),
        }
    }

    /// Opens one connection in each pool at startup. A missing role is found now, and the first request finds
    /// an open connection.
    async fn connect_both(self) -> Result<Database, OpenError> {
        for pool in [&self.administrators, &self.readers] {
            match pool.acquire().await {
                // The machine is busy. The first requests wait for their connection.
                Ok(_) | Err(sqlx::Error::PoolTimedOut) => {}
                Err(cause) => return Err(OpenError::Open { database: self.place(), cause: cause.into() }),
            }
        }
        Database::from(DatabaseEngine::Postgres(Box::new(self))).refusing_marked().await
    }

    fn new(
        primary: Primary,
        direct: Option<Primary>,
        options: PostgresOptions,
        sessions: SessionOptions,
    ) -> Self {
        let moved = Moved::default();
        let server = &primary.server;
        Self {
            readers: options.readers(server.clone(), sessions, &moved),
            administrators: options.administrators(server.clone(), sessions, &moved),
            moved,
            following: tokio::sync::Mutex::default(),
            turns: StoreTurns::new(options.readers, options.administrators),
            feed: single(direct.as_ref().unwrap_or(&primary).server.clone(), sessions.direct()),
            is_alone: Arc::default(),
            is_announcing: Arc::default(),
            primary: Mutex::new(primary),
            direct: direct.map(Mutex::new),
            patience: options.patience,
            runtime: Handle::current(),
            sessions,
        }
    }
}

fn connect_to(server: &PgConnectOptions, pools: &[&PgPool]) {
    for pool in pools {
        pool.set_connect_options(server.clone());
    }
}

/// Begins a transaction with one message to the server, which sets the role, enters the tenant and takes the
/// locks for the purpose. A commit locks its tenant's row until the end of the transaction. This lock
/// protects the revision, the audit numbers and all rows of the tenant. The tenant's id needs no quoting,
/// because it consists of letters, digits and hyphens.
///
/// `settings` sets the role and whatever the session lacks.
fn begin(purpose: TransactionPurpose<'_>, settings: &str, is_alone: bool) -> String {
    let enter = |tenant: &TenantId| format!("; SET LOCAL latchkey.tenant = '{tenant}'");
    let lock = |tenant: &TenantId| {
        format!("{}; SELECT 1 FROM tenants WHERE tenant_id = '{tenant}' FOR NO KEY UPDATE", enter(tenant))
    };
    let log = if is_alone { SHARED_LOG } else { "" };
    // A transaction that has waited for a lock reads what the owner of the lock has written.
    const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
    match purpose {
        TransactionPurpose::Reads(_) => format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY{settings}"),
        TransactionPurpose::Writes => format!("{BEGIN}{settings}{log}"),
        TransactionPurpose::Commit => format!("{BEGIN}{settings}{log}{PLATFORM_LOCK}"),
        TransactionPurpose::CommitOf(tenant) if is_alone => format!("{BEGIN}{settings}{log}{}", lock(tenant)),
        TransactionPurpose::CommitOf(tenant) | TransactionPurpose::DeletionOf(tenant) => {
            format!("{BEGIN}{settings}{log}{PLATFORM_LOCK}{}", lock(tenant))
        }
        TransactionPurpose::WritesOf(tenant) => format!("{BEGIN}{settings}{log}{}", enter(tenant)),
    }
}
