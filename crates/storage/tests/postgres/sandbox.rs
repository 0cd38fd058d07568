//! A database of its own for a test, copied from one that was migrated once, on the server that `cargo xtask test` has started. The
//! login is nobody special: it owns the database and may make roles.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use storage::Database;
use storage::postgres::{self, MIGRATOR, PostgresOptions};

static DATABASES: AtomicU64 = AtomicU64::new(0);

/// Of this server only, which ends with the tests.
const LOGIN: &str = "latchkey_login";

/// A database. It is dropped with this.
pub(crate) struct Sandbox {
    name: String,
}

impl Sandbox {
    /// With the schema of today.
    pub(crate) async fn new() -> Self {
        let template = template().await;
        Self::create(&format!("TEMPLATE {template}")).await
    }

    /// Empty, or as this says.
    pub(crate) async fn create(how: &str) -> Self {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("latchkey_test_{}_{number}", std::process::id());
        let mut server = server().await;
        make_login(&mut server).await;
        execute(&mut server, format!("CREATE DATABASE {name} OWNER {LOGIN} {how}")).await;
        Self { name }
    }

    /// As the login, with its password.
    pub(crate) fn url(&self) -> String {
        url(&self.name)
    }

    /// With more patience than requests have, for a busy machine.
    pub(crate) async fn open(&self) -> Database {
        let options = PostgresOptions { patience: Duration::from_secs(10), ..PostgresOptions::default() };
        postgres::open(&self.url(), options).await.unwrap()
    }
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

/// The server's own database, as its administrator.
pub(crate) async fn server() -> PgConnection {
    PgConnection::connect(&server_url()).await.unwrap()
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: String) {
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}

/// A test that lacks the server fails rather than pass without having tested anything.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask tells tests, through the environment, which server it has started"
)]
fn server_url() -> String {
    std::env::var(crate::SERVER).unwrap_or_else(|_| {
        panic!("{} is not set: run `cargo xtask test`, which starts what this needs", crate::SERVER)
    })
}

fn url(database: &str) -> String {
    let server = server_url();
    let (_, place) = server.rsplit_once('@').expect("the server's URL names a user");
    let (place, _) = place.split_once('/').expect("the server's URL names a database");
    format!("postgres://{LOGIN}:{LOGIN}@{place}/{database}")
}

/// Made by whichever test comes first; the others wait for it. It takes its name when it is done.
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
        // A session that has just been closed may still be about for a moment.
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
