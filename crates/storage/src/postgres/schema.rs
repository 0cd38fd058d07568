//! The schema and row level security. The compiled-in migrations run in one transaction, under a lock that
//! all replicas respect. A database that a newer program has migrated is refused.

use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, FromRow, PgConnection};

use crate::error::{has_code, within};
use crate::migrations::{is_readable, known, migrator, refuse_newer};
use crate::open_error::OpenError;
use crate::postgres::options::place;

pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator!("postgres"));

/// Without this limit, a host that does not answer would block for minutes.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);

/// The SQLSTATEs after which the work is done again in a second session. 57P01: another session ended this
/// session. 42704: the role is unknown, because a program at another database of this server created it after
/// this session's snapshot.
const OF_ANOTHER_SESSION: [&str; 2] = ["57P01", "42704"];

/// An advisory lock that the migration holds until the end of its transaction.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7810204517302010)";

/// Whether row level security is forced on tenants' rows, and whether it hides these rows from the login.
const IS_BARRED: &str = "
    SELECT c.relforcerowsecurity AND NOT (r.rolsuper OR r.rolbypassrls)
      FROM pg_class c, pg_roles r
     WHERE c.oid = 'tenants'::regclass AND r.rolname = current_user";

/// From PostgreSQL 16 on, a member of a role needs the SET option to act as the role.
const HAS_ROW_LEVEL_SECURITY: &str = "
    SELECT c.relforcerowsecurity
           AND (SELECT count(*) = 2 AND bool_and(pg_has_role(current_user, r.oid, acting.privilege))
                  FROM pg_roles r
                 WHERE r.rolname IN ('latchkey_app', 'latchkey_operator'))
      FROM pg_class c,
           (SELECT CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)
               AS acting (privilege)
     WHERE c.oid = 'tenants'::regclass";

/// The role for writers is used only together with the other two roles.
const PREPARE_WRITER: &str = "SELECT CASE WHEN $1 THEN latchkey_prepare_writer() ELSE false END";

/// Identifies the running server, the database and the login. The start time distinguishes a server from its
/// copies, which have the same system identifier.
const IDENTITY: &str = "
    SELECT concat_ws('/', system_identifier, extract(epoch FROM pg_postmaster_start_time())), d.oid::bigint,
           session_user::text
      FROM pg_control_system(), pg_database d WHERE d.datname = current_database()";

pub(crate) enum Schema {
    /// The database has never been used.
    Absent,
    Ready {
        /// The roles that the login can act as.
        roles: Roles,
    },
}

/// The roles of row level security that the login can act as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    /// `latchkey_app` and `latchkey_operator`. Without both, row level security is off.
    pub(crate) row_level_security: bool,
    /// `latchkey_writer`. Without it, commits of one tenant run as `latchkey_operator`.
    pub(crate) writer: bool,
}

/// Migrates the schema, turns row level security on if it is off, and returns the usable roles. If several
/// replicas start at the same time, one migrates and the others wait.
pub(crate) async fn migrate(server: &PgConnectOptions) -> Result<Roles, OpenError> {
    twice(async || migrate_in_a_session(server).await).await
}

/// Does work that may run while another replica migrates. The migration can end the session of the work.
/// Nothing is written in that case, so the work is done again in a second session.
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
    let failed = OpenError::at(server);
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

/// Reads the state of the schema without changing anything.
pub(crate) async fn inspect(server: &PgConnectOptions) -> Result<Schema, OpenError> {
    let failed = OpenError::at(server);
    let mut connection = connect(server).await?;
    let found = version(&mut connection).await.map_err(failed)?;
    let schema = if is_readable(&MIGRATOR, &place(server), "it", found)? {
        let row_level_security: bool =
            sqlx::query_scalar(HAS_ROW_LEVEL_SECURITY).fetch_one(&mut connection).await.map_err(failed)?;
        refuse_barred(server, &mut connection, row_level_security).await?;
        // A read-only session commits nothing, so it needs no role for writers.
        Schema::Ready { roles: Roles { row_level_security, writer: row_level_security } }
    } else {
        Schema::Absent
    };
    connection.close().await.map_err(failed)?;
    Ok(schema)
}

/// Refuses a login that is subject to row level security but cannot act as the roles: it would see an empty
/// platform.
async fn refuse_barred(
    server: &PgConnectOptions,
    connection: &mut PgConnection,
    row_level_security: bool,
) -> Result<(), OpenError> {
    let failed = OpenError::at(server);
    let barred = sqlx::query_scalar::<_, bool>(IS_BARRED).fetch_one(connection).await.map_err(failed)?;
    if barred && !row_level_security {
        return Err(OpenError::Roles { database: place(server), login: server.get_username().to_owned() });
    }
    Ok(())
}

pub(crate) async fn connect(server: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    within(CONNECT, server.connect()).await.map_err(OpenError::at(server))
}

/// The server, the database and the login.
pub(crate) async fn identity(server: &PgConnectOptions) -> Result<(String, i64, String), OpenError> {
    let failed = OpenError::at(server);
    let mut connection = connect(server).await?;
    let row = sqlx::raw_sql(IDENTITY).fetch_one(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    FromRow::from_row(&row).map_err(failed)
}

/// The version of the last migration. `None` if there is no schema.
pub(crate) async fn found(server: &PgConnectOptions) -> Result<Option<i64>, OpenError> {
    let failed = OpenError::at(server);
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
