//! Opens the database: schema, row level security, and two pools, one for requests and one for all other
//! work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row as _};
use tenancy::{StoreError, TenantId, Turn};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::database::{Database, DatabaseEngine};
use crate::error::{Error, is_lost};
use crate::open_error::OpenError;
use crate::postgres::hosts::{Servers, TAKES_WRITES};
use crate::postgres::options::{
    ADMINISTRATION_WAIT, Moved, PostgresOptions, Role, SessionOptions, place, single,
};
use crate::postgres::pooler;
use crate::postgres::schema::{self, Roles, Schema};
use crate::postgres::url::parse;
use crate::row::DatabaseRow;
use crate::statement::{Access, Statement};
use crate::store_turns::StoreTurns;
use crate::transaction::{Open, Transaction, TransactionPurpose};

/// The reason, as far as an operator can fix it.
const ROW_LEVEL_SECURITY_OFF: &str = "row level security is off: this login cannot act as the roles latchkey_app and latchkey_operator, or one of \
                        them passes through it; let an administrator create both, NOLOGIN and NOBYPASSRLS, and grant them to \
                        this login, and start again";

/// See [`ROW_LEVEL_SECURITY_OFF`]; this is for commits.
const WRITER_MISSING: &str = "commits of one tenant run as latchkey_operator, which sees all tenants: this login cannot act as the role \
                        latchkey_writer, or row level security does not restrict that role; let an administrator create it, NOLOGIN \
                        and NOBYPASSRLS, and grant it to this login, and start again";

/// The notifications of changes.
pub(super) const CHANNEL: &str = "latchkey_changes";

/// Orders writes across tenants, and deletions of tenants and clients, which none of them may overtake. Other
/// writes of one tenant do not wait for it. It is held until the end of the transaction.
const PLATFORM_LOCK: &str = "; SELECT pg_advisory_xact_lock(7810204517302012)";

/// No replica of an earlier version is running: see migration 61.
const SHARED_LOG: &str = "; SET LOCAL latchkey.log = 'shared'";

/// A replica that has logged changes notifies the others after this time, once for all changes until then.
const ANNOUNCE_AFTER: Duration = Duration::from_millis(5);

/// The servers of a URL, with the password of new connections, and the one in use.
pub(crate) struct Primary {
    pub(crate) servers: Servers,
    pub(crate) server: PgConnectOptions,
}

impl Primary {
    /// Chooses the server of a URL, unless a pooler of transactions or statements is before it.
    pub(crate) async fn find(url: &str) -> Result<Self, OpenError> {
        let servers = parse(url)?;
        let found = async || {
            let server = servers.choose().await?;
            pooler::refuse(&server).await.map(|()| server)
        };
        let server = schema::twice(found).await?;
        Ok(Self { servers, server })
    }
}

/// The connections to a database.
pub(crate) struct PostgresPools {
    primary: Mutex<Primary>,
    /// The same server past the pooler, if the settings name it.
    direct: Option<Mutex<Primary>>,
    /// When the primary moved to another server. Connections of before are closed.
    moved: Moved,
    /// One search for the primary at a time.
    following: tokio::sync::Mutex<()>,
    readers: PgPool,
    administrators: PgPool,
    /// A pool with one connection, which is opened when it is needed.
    feed: PgPool,
    /// Whether no replica of an earlier version is running, as the feed has found.
    is_alone: Arc<AtomicBool>,
    /// Whether a task is about to announce changes.
    is_announcing: Arc<AtomicBool>,
    patience: Duration,
    /// The runtime that opens connections.
    runtime: Handle,
    roles: Roles,
    sessions: SessionOptions,
    /// The turns at the pool of requests, and at the pool of all other work, in which requests write, too.
    turns: StoreTurns,
}

/// The URL of a database, and the URL of the same database past a pooler, for changes and migrations.
#[derive(Clone, Copy, Debug)]
pub struct Urls<'u> {
    /// `storage.url`.
    pub url: &'u str,
    /// `storage.direct_url`.
    pub direct: Option<&'u str>,
}

impl<'u, T: AsRef<str> + ?Sized> From<&'u T> for Urls<'u> {
    fn from(url: &'u T) -> Self {
        Self { url: url.as_ref(), direct: None }
    }
}

/// Opens the database and migrates its schema. If several replicas start at once, one of them migrates.
///
/// # Errors
/// [`OpenError`], and nothing is changed in a database whose schema is newer than this program.
pub async fn open<'u>(urls: impl Into<Urls<'u>>, options: PostgresOptions) -> Result<Database, OpenError> {
    let urls = urls.into();
    let primary = Primary::find(urls.url).await?;
    let direct = find_direct(urls, &primary.server).await?;
    let roles = schema::migrate(&direct.as_ref().unwrap_or(&primary).server).await?;
    let pools = PostgresPools::new(primary, direct, options, roles, false);
    if let Some(warning) = pools.warning() {
        warn!(database = pools.place(), "{warning}");
    }
    pools.connect_both().await
}

/// Opens the database without changing anything. Without a schema the result is `None`. It reads no changes,
/// so it needs no direct connection.
///
/// # Errors
/// [`OpenError`], also when the schema is older than this program: a migration would write.
pub async fn open_read_only(url: &str, options: PostgresOptions) -> Result<Option<Database>, OpenError> {
    let primary = Primary::find(url).await?;
    match schema::inspect(&primary.server).await? {
        Schema::Absent => Ok(None),
        Schema::Ready { roles } => {
            PostgresPools::new(primary, None, options, roles, true).connect_both().await.map(Some)
        }
    }
}

/// Migrates the schema and does nothing else, as a separate step before the program is started.
///
/// # Errors
/// [`OpenError`], and nothing is changed in a database whose schema is newer than this program.
pub async fn migrate(url: &str) -> Result<(), OpenError> {
    schema::migrate(&Primary::find(url).await?.server).await.map(drop)
}

/// The server of the direct URL, if there is one. It must be the same database of the same server, and the
/// same login: the roles that the login can act as are found there.
pub(crate) async fn find_direct(
    urls: Urls<'_>,
    server: &PgConnectOptions,
) -> Result<Option<Primary>, OpenError> {
    let Some(url) = urls.direct else { return Ok(None) };
    let direct = Primary::find(url).await.map_err(OpenError::of_direct)?;
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

/// The schema of the database, whichever it is.
pub(crate) async fn schema_of(url: &str) -> Result<Option<i64>, OpenError> {
    schema::found(&Primary::find(url).await?.server).await
}

impl PostgresPools {
    pub(crate) fn warning(&self) -> Option<&'static str> {
        match self.roles {
            Roles { row_level_security: false, .. } => Some(ROW_LEVEL_SECURITY_OFF),
            Roles { writer: false, .. } => Some(WRITER_MISSING),
            Roles { .. } => None,
        }
    }

    pub(crate) fn connections(&self) -> (u32, usize) {
        let pools = [&self.readers, &self.administrators];
        // A pool counts a connection as idle just after it has given it to the next caller, and the count
        // wraps below zero in between.
        let idle = |idle: usize| isize::try_from(idle).map_or(0, |_| idle);
        (pools.iter().map(|pool| pool.size()).sum(), pools.iter().map(|pool| idle(pool.num_idle())).sum())
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.administrators.close().await;
    }

    pub(crate) fn place(&self) -> String {
        place(&locked(&self.primary).server)
    }

    /// The connection on which changes are read, its role, and where it notes that no replica of an earlier
    /// version is running.
    pub(crate) fn feed(&self) -> (&PgPool, Role, &Arc<AtomicBool>) {
        (&self.feed, self.sessions.administrator(), &self.is_alone)
    }

    /// Notifies the other replicas soon that changes were logged. PostgreSQL lets transactions with a
    /// notification commit one after another, so it is a transaction of its own, and no commit waits for it.
    /// If it is lost, they read the log a little later.
    pub(crate) fn announce(&self) {
        if !self.is_alone.load(Ordering::Relaxed) || self.is_announcing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (is_announcing, pool) = (Arc::clone(&self.is_announcing), self.administrators.clone());
        self.runtime.spawn(async move {
            sleep(ANNOUNCE_AFTER).await;
            is_announcing.store(false, Ordering::Release);
            drop(sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&pool).await);
        });
    }

    /// New connections use this password. Open connections stay open.
    pub(crate) fn use_password(&self, password: &str) {
        for (route, pools) in self.routes() {
            let mut primary = locked(route);
            primary.server = primary.server.clone().password(password);
            primary.servers = primary.servers.clone().with(|server| server.password(password));
            connect_to(&primary.server, &pools);
        }
    }

    /// Looks for the server that accepts writes, if the URL names several, and connects to it from now on.
    pub(crate) async fn follow(&self) {
        let Ok(_search) = self.following.try_lock() else { return };
        for (route, pools) in self.routes() {
            let servers = locked(route).servers.clone();
            if !servers.are_several() {
                continue;
            }
            let Ok(found) = servers.choose().await else { continue };
            let mut primary = locked(route);
            if place(&found) != place(&primary.server) {
                info!(
                    database = place(&found),
                    "another server of the store's URL accepts writes, and is used now"
                );
                connect_to(&found, &pools);
                primary.server = found;
                self.leave_sessions();
            }
        }
    }

    /// Whether the store accepts writes, asked on a connection of requests. A session that accepts none may
    /// do so for as long as it is open, also when new ones accept writes again, so none is used again.
    pub(crate) async fn takes_writes(&self) -> Result<bool, sqlx::Error> {
        let takes_writes: bool = sqlx::query_scalar(TAKES_WRITES).fetch_one(&self.readers).await?;
        if !takes_writes {
            self.leave_sessions();
        }
        Ok(takes_writes)
    }

    /// Connections of before are closed when they are used next.
    fn leave_sessions(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Each way to the database, with its pools.
    fn routes(&self) -> Vec<(&Mutex<Primary>, Vec<&PgPool>)> {
        let pools = vec![&self.readers, &self.administrators];
        match &self.direct {
            Some(direct) => vec![(&self.primary, pools), (direct, vec![&self.feed])],
            None => vec![(&self.primary, [pools, vec![&self.feed]].concat())],
        }
    }

    /// Returns all rows of a statement of a request. Waiting for a connection, reading, and a second attempt
    /// after a lost connection share one deadline, so a server that hangs keeps no request.
    pub(crate) async fn look_up(
        &self,
        statement: &Statement,
        statements: &AtomicU64,
    ) -> Result<Vec<DatabaseRow>, Error> {
        let attempt = || async {
            let (mut connection, _turn) = Box::pin(self.reader(statement.tenant())).await?;
            statements.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>(statement.bound_as(self.sessions.reader()).fetch_all(&mut *connection).await)
        };
        let attempts = async {
            match attempt().await? {
                Err(error) if is_lost(&error) => Ok(attempt().await??),
                outcome => Ok::<_, Error>(outcome?),
            }
        };
        let rows = timeout(2 * self.patience, attempts).await.map_err(StoreError::unavailable)??;
        Ok(rows.into_iter().map(DatabaseRow::Postgres).collect())
    }

    /// Executes one statement of a request that writes, within the time that a request has. It is not tried
    /// again, because the first attempt may have written. Returns its rows.
    pub(crate) async fn write_of_request(
        &self,
        statement: &Statement,
        statements: &AtomicU64,
    ) -> Result<Vec<DatabaseRow>, Error> {
        let attempt = async {
            let (mut connection, _turn) = Box::pin(self.reader(statement.tenant())).await?;
            statements.fetch_add(1, Ordering::Relaxed);
            let written = statement.bound_as(self.sessions.reader()).fetch_all(&mut *connection);
            Ok::<_, Error>(written.await?)
        };
        let rows = timeout(2 * self.patience, attempt).await.map_err(StoreError::unavailable)??;
        Ok(rows.into_iter().map(DatabaseRow::Postgres).collect())
    }

    /// A connection to read on, with the turn that is held for as long. A separate task opens it, away from
    /// the workers that sign. A request stops waiting in time, but its connection is opened to the end and
    /// serves the next request. Otherwise a busy server that has lost its connections would begin them again
    /// and again, and finish none. The task holds the turn, so the number of connections that are being
    /// opened is at most that of the pool. None of them waits in the pool until too little of its time is
    /// left.
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

    /// Across tenants.
    pub(crate) async fn read(&self, statement: &Statement) -> Result<Vec<DatabaseRow>, sqlx::Error> {
        let bound = statement.bound_alone(self.sessions.administrator(), Access::Reads);
        let rows = bound.fetch_all(&self.administrators).await?;
        Ok(rows.into_iter().map(DatabaseRow::Postgres).collect())
    }

    /// Across tenants. Says how many rows it touched.
    pub(crate) async fn write(&self, statement: &Statement) -> Result<i64, sqlx::Error> {
        let bound = statement.bound_alone(self.sessions.administrator(), Access::Writes);
        bound.fetch_one(&self.administrators).await?.try_get(0)
    }

    pub(crate) async fn begin<'d>(
        &'d self,
        purpose: TransactionPurpose<'_>,
        statements: &'d AtomicU64,
    ) -> Result<Transaction<'d>, Error> {
        let role = self.role(purpose);
        let begin = begin(purpose, role, self.is_alone.load(Ordering::Relaxed));
        let turn = self.turns.writer(purpose.tenant(), ADMINISTRATION_WAIT).await?;
        let opened = self.administrators.begin_with(AssertSqlSafe(begin)).await?;
        Ok(Transaction::new(Open::Postgres(opened, self, role), turn, purpose, statements))
    }

    /// Each transaction takes its role, also where its session has it already.
    fn role(&self, purpose: TransactionPurpose<'_>) -> Role {
        match purpose {
            TransactionPurpose::Reads(_) | TransactionPurpose::WritesOf(_) => self.sessions.reader(),
            TransactionPurpose::CommitOf(_) | TransactionPurpose::DeletionOf(_) if self.roles.writer => {
                Role::Writer
            }
            _ => self.sessions.administrator(),
        }
    }

    /// Opens a connection of each kind. So a missing role is found now, and the first request finds a
    /// connection.
    async fn connect_both(self) -> Result<Database, OpenError> {
        for pool in [&self.administrators, &self.readers] {
            match pool.acquire().await {
                // A busy machine: the first requests wait for the connection.
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
        roles: Roles,
        only_reads: bool,
    ) -> Self {
        let sessions = SessionOptions { row_level_security: roles.row_level_security, only_reads };
        let moved = Moved::default();
        let server = &primary.server;
        Self {
            readers: options.readers(server.clone(), sessions, &moved),
            administrators: options.administrators(server.clone(), sessions, &moved),
            moved,
            following: tokio::sync::Mutex::default(),
            turns: StoreTurns::new(options.readers, options.administrators),
            feed: single(direct.as_ref().unwrap_or(&primary).server.clone(), sessions),
            is_alone: Arc::default(),
            is_announcing: Arc::default(),
            primary: Mutex::new(primary),
            direct: direct.map(Mutex::new),
            patience: options.patience,
            runtime: Handle::current(),
            roles,
            sessions,
        }
    }
}

fn locked(primary: &Mutex<Primary>) -> MutexGuard<'_, Primary> {
    primary.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect_to(server: &PgConnectOptions, pools: &[&PgPool]) {
    for pool in pools {
        pool.set_connect_options(server.clone());
    }
}

/// Begins a transaction, as one message to the server: it takes the role, enters the tenant, and takes the
/// locks of its purpose. A commit locks the row of its tenant until the end, which guards the revision, the
/// numbers of the audit and all rows of the tenant. A tenant's id consists of letters, digits and hyphens, so
/// it needs no quoting.
fn begin(purpose: TransactionPurpose<'_>, role: Role, is_alone: bool) -> String {
    let role = role.taken_locally();
    let enter = |tenant: &TenantId| format!("; SET LOCAL latchkey.tenant = '{tenant}'");
    let lock = |tenant: &TenantId| {
        format!("{}; SELECT 1 FROM tenants WHERE tenant_id = '{tenant}' FOR NO KEY UPDATE", enter(tenant))
    };
    let log = if is_alone { SHARED_LOG } else { "" };
    match purpose {
        TransactionPurpose::Reads(_) => format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY{role}"),
        TransactionPurpose::Writes => format!("BEGIN{role}{log}"),
        TransactionPurpose::Commit => format!("BEGIN{role}{log}{PLATFORM_LOCK}"),
        TransactionPurpose::CommitOf(tenant) if is_alone => format!("BEGIN{role}{log}{}", lock(tenant)),
        TransactionPurpose::CommitOf(tenant) | TransactionPurpose::DeletionOf(tenant) => {
            format!("BEGIN{role}{log}{PLATFORM_LOCK}{}", lock(tenant))
        }
        TransactionPurpose::WritesOf(tenant) => format!("BEGIN{role}{log}{}", enter(tenant)),
    }
}
