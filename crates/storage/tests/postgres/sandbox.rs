//! A separate database for each test, copied from a template that was migrated once. `cargo xtask test`
//! starts the server. The login owns the database and may create roles, but has no other permissions.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use storage::Database;
use storage::postgres::{self, MIGRATOR, PostgresOptions};
use testkit::server_variable;
use testkit::store_contract::Stores;

static DATABASES: AtomicU64 = AtomicU64::new(0);

/// The login exists only on the server of the tests.
const LOGIN: &str = "latchkey_login";

/// The number of steps of a refresh family in the tests.
pub(crate) const STEPS: u32 = 1_000;

/// SQL for a row's settings with one additional member, and for the value of that member.
pub(crate) const ADD_NEWER_MEMBER: &str = r#"jsonb_set(settings::jsonb, '{newer}', '"kept"')::text"#;
pub(crate) const NEWER_MEMBER: &str = "settings::jsonb ->> 'newer'";

/// The database is dropped with this value.
pub(crate) struct Sandbox {
    name: String,
}

impl Sandbox {
    /// Creates a database with the current schema.
    pub(crate) async fn new() -> Self {
        let template = template().await;
        Self::create(&format!("TEMPLATE {template} {}", by_file_copy().await)).await
    }

    /// Creates a database and opens it.
    pub(crate) async fn opened() -> (Self, Database) {
        let sandbox = Self::new().await;
        let database = sandbox.open().await;
        (sandbox, database)
    }

    /// Creates a database; `how` is a clause of CREATE DATABASE. Without a clause it is empty.
    pub(crate) async fn create(how: &str) -> Self {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("latchkey_test_{}_{number}", std::process::id());
        let mut server = server().await;
        make_login(&mut server).await;
        execute(&mut server, format!("CREATE DATABASE {name} OWNER {LOGIN} {how}")).await;
        Self { name }
    }

    /// The URL for the login, with its password.
    pub(crate) fn url(&self) -> String {
        url(&self.name)
    }

    /// The URL for the server's administrator, to whom row level security does not apply.
    pub(crate) fn url_of_superuser(&self) -> String {
        let server = server_variable(crate::SERVER);
        format!("{}/{}", server.rsplit_once('/').expect("the server's URL names a database").0, self.name)
    }

    /// Allows only the owner to create tables, which is the default since PostgreSQL 15.
    pub(crate) async fn keep_others_out(&self) {
        let mut superuser = PgConnection::connect(&self.url_of_superuser()).await.unwrap();
        execute(&mut superuser, "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned()).await;
    }

    /// Opens the database with longer time limits than normal, because the machine may be busy.
    pub(crate) async fn open(&self) -> Database {
        let options = PostgresOptions { patience: Duration::from_secs(10), ..PostgresOptions::default() };
        postgres::open(&self.url(), options).await.unwrap()
    }

    pub(crate) async fn stores(&self) -> Stores {
        Arc::new(self.open().await)
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// Executes SQL as the owner of the tables.
    pub(crate) async fn define(&self, sql: &str) {
        execute(&mut self.connect().await, sql.to_owned()).await;
    }

    /// Executes SQL as the server's administrator.
    pub(crate) async fn define_as_superuser(&self, sql: &str) {
        execute(&mut PgConnection::connect(&self.url_of_superuser()).await.unwrap(), sql.to_owned()).await;
    }

    pub(crate) async fn texts(&self, select: &str) -> Vec<Option<String>> {
        let mut connection = self.connect().await;
        execute(&mut connection, "SET ROLE latchkey_operator".to_owned()).await;
        sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&mut connection).await.unwrap()
    }

    /// Executes SQL with the role that can write in any tenant.
    pub(crate) async fn execute(&self, sql: &str) {
        execute(&mut self.connect().await, format!("SET ROLE latchkey_operator; {sql}")).await;
    }

    /// Creates a database that was migrated to this version and contains these rows.
    pub(crate) async fn at_version(version: i64, rows: &[String]) -> Self {
        Self::earlier(version, true, rows).await
    }

    /// Like [`Sandbox::at_version`], with or without row level security.
    pub(crate) async fn earlier(version: i64, row_level_security: bool, rows: &[String]) -> Self {
        // Creates the roles and grants them to the login, if no other test has done so yet. Earlier schemas
        // cannot do it since PostgreSQL 16.
        Self::new().await;
        let sandbox = Self::create("").await;
        let mut connection = migrated(&sandbox.url(), version).await;
        let mut transaction = connection.begin().await.unwrap();
        if row_level_security {
            execute(&mut transaction, "SELECT latchkey_raise_wall()".to_owned()).await;
            execute(&mut transaction, "SET LOCAL ROLE latchkey_operator".to_owned()).await;
        }
        for sql in rows {
            execute(&mut transaction, sql.clone()).await;
        }
        transaction.commit().await.unwrap();
        sandbox
    }
}

/// Connects as the user of the URL to an empty database and migrates it to this version.
pub(crate) async fn migrated(url: &str, version: i64) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let previous = MIGRATOR.iter().filter(|migration| migration.version <= version).cloned();
    Migrator::with_migrations(previous.collect()).run_direct(None, &mut connection, false).await.unwrap();
    connection
}

/// SQL for a list of texts, as an earlier version wrote it.
pub(crate) fn list(texts: &[&str]) -> String {
    format!("ARRAY{texts:?}::text[]").replace('"', "'")
}

/// SQL for bytes.
pub(crate) fn bytes(hex: &str) -> String {
    format!("'\\x{hex}'::bytea")
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let dropped = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { execute(&mut server().await, sql).await });
        });
        drop(dropped.join());
    }
}

/// Connects to the server's own database as its administrator.
pub(crate) async fn server() -> PgConnection {
    PgConnection::connect(&server_variable(crate::SERVER)).await.unwrap()
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}

fn url(database: &str) -> String {
    let server = server_variable(crate::SERVER);
    let (_, place) = server.rsplit_once('@').expect("the server's URL names a user");
    let (place, _) = place.split_once('/').expect("the server's URL names a database");
    format!("postgres://{LOGIN}:{LOGIN}@{place}/{database}")
}

/// PostgreSQL 14 has only this strategy and does not know the clause.
async fn by_file_copy() -> &'static str {
    let select = "SELECT current_setting('server_version_num')::integer >= 150000";
    let has_others: bool = sqlx::query_scalar(select).fetch_one(&mut server().await).await.unwrap();
    if has_others { "STRATEGY file_copy" } else { "" }
}

/// The first test that needs the template creates it; the others wait. The template is renamed to its final
/// name when it is complete.
async fn template() -> String {
    let mut hasher = DefaultHasher::new();
    for migration in MIGRATOR.iter() {
        migration.checksum.hash(&mut hasher);
    }
    let name = format!("latchkey_template_{:016x}", hasher.finish());
    let mut server = server().await;
    sqlx::query("SELECT pg_advisory_lock(1)").execute(&mut server).await.unwrap();
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut server)
        .await
        .unwrap();
    if !is_there {
        make_login(&mut server).await;
        let making = format!("{name}_making");
        execute(&mut server, format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)")).await;
        execute(&mut server, format!("CREATE DATABASE {making} OWNER {LOGIN}")).await;
        postgres::migrate(&url(&making)).await.unwrap();
        // A session that was just closed may still exist for a moment.
        let all = format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{making}'"
        );
        execute(&mut server, all).await;
        execute(&mut server, format!("ALTER DATABASE {making} RENAME TO {name}")).await;
    }
    server.close().await.unwrap();
    name
}

async fn make_login(server: &mut PgConnection) {
    let make = format!(
        "DO $$ BEGIN CREATE ROLE {LOGIN} LOGIN CREATEROLE PASSWORD '{LOGIN}';
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    execute(server, make).await;
}
