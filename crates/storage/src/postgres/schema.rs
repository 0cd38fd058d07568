//! The schema and row level security: compiled-in migrations, applied as a whole under a lock that replicas
//! share, and never to a database that a newer program has migrated.

use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use tokio::time::timeout;

use crate::error::has_code;
use crate::migrations::{is_readable, known, migrator, refuse_newer};
use crate::open_error::OpenError;
use crate::postgres::options::place;

/// The schema of this program.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator!("postgres"));

/// A host that answers nothing would be waited for by the minute.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);

/// The SQLSTATEs after which a second session is opened. One is that of a session that another one has ended.
/// The other is that of an unknown role: the program of another database of this server created it at the
/// same time, and the session that waited for it does not see it.
const OF_ANOTHER_SESSION: [&str; 2] = ["57P01", "42704"];

/// The lock is held until the end of the transaction that migrates.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7810204517302010)";

/// Whether row level security is forced on tenants' rows, and whether it would hide them from this login.
const IS_BARRED: &str = "
    SELECT c.relforcerowsecurity AND NOT (r.rolsuper OR r.rolbypassrls)
      FROM pg_class c, pg_roles r
     WHERE c.oid = 'tenants'::regclass AND r.rolname = current_user";

/// From PostgreSQL 16 on, a member of a role needs the option SET to act as the role.
const HAS_ROW_LEVEL_SECURITY: &str = "
    SELECT c.relforcerowsecurity
           AND (SELECT count(*) = 2 AND bool_and(pg_has_role(current_user, r.oid, acting.privilege))
                  FROM pg_roles r
                 WHERE r.rolname IN ('latchkey_app', 'latchkey_operator'))
      FROM pg_class c,
           (SELECT CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)
               AS acting (privilege)
     WHERE c.oid = 'tenants'::regclass";

/// A role for writers is of use only beside the other two.
const PREPARE_WRITER: &str = "SELECT CASE WHEN $1 THEN latchkey_prepare_writer() ELSE false END";

/// The server since its last start, the database, and the login. A copy of a server has its identifier, too,
/// and another time.
const IDENTITY: &str = "
    SELECT concat_ws('/', system_identifier, extract(epoch FROM pg_postmaster_start_time())), d.oid::bigint,
           session_user::text
      FROM pg_control_system(), pg_database d WHERE d.datname = current_database()";

/// The state of the schema.
pub(crate) enum Schema {
    /// The database has never been used.
    Absent,
    /// The schema of this program.
    Ready {
        /// The roles that this login can act as.
        roles: Roles,
    },
}

/// The roles of row level security that sessions can act as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    /// `latchkey_app` and `latchkey_operator`: without them row level security is off.
    pub(crate) row_level_security: bool,
    /// `latchkey_writer`: without it commits of one tenant run as `latchkey_operator`.
    pub(crate) writer: bool,
}

/// Brings the schema up to date, turns row level security on if it is off, and returns the usable roles. If
/// several replicas start at once, one does it and the others wait for it.
pub(crate) async fn migrate(server: &PgConnectOptions) -> Result<Roles, OpenError> {
    twice(async || migrate_in_a_session(server).await).await
}

/// Does work that may run while another replica migrates. Its session can be ended by the migration. It has
/// changed nothing then, so the work is done again in a second session.
pub(crate) async fn twice<T>(work: impl AsyncFn() -> Result<T, OpenError>) -> Result<T, OpenError> {
    match work().await {
        Err(error) if is_of_another_session(&error) => work().await,
        done => done,
    }
}

fn is_of_another_session(error: &OpenError) -> bool {
    let cause = match error {
        OpenError::Open { cause, .. } => cause.cause(),
        OpenError::Migrate { cause: MigrateError::ExecuteMigration(cause, _), .. } => cause,
        _ => return false,
    };
    OF_ANOTHER_SESSION.iter().any(|code| has_code(cause, code))
}

async fn migrate_in_a_session(server: &PgConnectOptions) -> Result<Roles, OpenError> {
    let failed = |cause: sqlx::Error| OpenError::Open { database: place(server), cause: cause.into() };
    let mut connection = connect(server).await?;
    let mut transaction = connection.begin().await.map_err(failed)?;
    sqlx::query(LOCK).execute(&mut *transaction).await.map_err(failed)?;
    let found = version(&mut transaction).await.map_err(failed)?;
    refuse_newer(&MIGRATOR, &place(server), found)?;
    if found != Some(known(&MIGRATOR)) {
        let done = MIGRATOR.run_direct(None, &mut *transaction, false).await;
        done.map_err(|cause| OpenError::Migrate { database: place(server), cause })?;
    }
    let row_level_security: bool = sqlx::query_scalar("SELECT latchkey_raise_wall()")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    refuse_barred(server, &mut transaction, row_level_security).await?;
    let writer: bool = sqlx::query_scalar(PREPARE_WRITER)
        .bind(row_level_security)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(Roles { row_level_security, writer })
}

/// Looks, and changes nothing.
pub(crate) async fn inspect(server: &PgConnectOptions) -> Result<Schema, OpenError> {
    let failed = |cause: sqlx::Error| OpenError::Open { database: place(server), cause: cause.into() };
    let mut connection = connect(server).await?;
    let found = version(&mut connection).await.map_err(failed)?;
    let schema = if is_readable(&MIGRATOR, &place(server), "it", found)? {
        let row_level_security: bool =
            sqlx::query_scalar(HAS_ROW_LEVEL_SECURITY).fetch_one(&mut connection).await.map_err(failed)?;
        refuse_barred(server, &mut connection, row_level_security).await?;
        // This session commits nothing, so it needs no writer.
        Schema::Ready { roles: Roles { row_level_security, writer: row_level_security } }
    } else {
        Schema::Absent
    };
    connection.close().await.map_err(failed)?;
    Ok(schema)
}

/// Without the roles, such a login would see an empty platform.
async fn refuse_barred(
    server: &PgConnectOptions,
    connection: &mut PgConnection,
    row_level_security: bool,
) -> Result<(), OpenError> {
    let failed = |cause: sqlx::Error| OpenError::Open { database: place(server), cause: cause.into() };
    let barred = sqlx::query_scalar::<_, bool>(IS_BARRED).fetch_one(connection).await.map_err(failed)?;
    if barred && !row_level_security {
        return Err(OpenError::Roles { database: place(server), login: server.get_username().to_owned() });
    }
    Ok(())
}

pub(crate) async fn connect(server: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let late = |_| Err(sqlx::Error::Io(io::Error::from(io::ErrorKind::TimedOut)));
    let connected = timeout(CONNECT, server.connect()).await.unwrap_or_else(late);
    connected.map_err(|cause| OpenError::Open { database: place(server), cause: cause.into() })
}

/// Which server, which database, and which login.
pub(crate) async fn identity(server: &PgConnectOptions) -> Result<(String, i64, String), OpenError> {
    let failed = |cause: sqlx::Error| OpenError::Open { database: place(server), cause: cause.into() };
    let mut connection = connect(server).await?;
    let found = sqlx::query_as(IDENTITY).fetch_one(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(found)
}

/// The version of the last migration of a database.
pub(crate) async fn found(server: &PgConnectOptions) -> Result<Option<i64>, OpenError> {
    let failed = |cause: sqlx::Error| OpenError::Open { database: place(server), cause: cause.into() };
    let mut connection = connect(server).await?;
    let found = version(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(found)
}

async fn version(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !is_there {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(connection).await
}
