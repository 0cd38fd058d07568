//! An empty database for one test, and its server. The login has no special rights: it owns the database and
//! may create roles.

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use testkit::server_variable;
use url::Url;

use crate::host::run;
use crate::test_servers::server_path;

static DATABASES: AtomicU64 = AtomicU64::new(0);

/// The login of all tests on this server. The platform's roles can only be used by the login that created
/// them.
const LOGIN: &str = "latchkey_login";

/// A PostgreSQL server, accessed as its administrator.
#[derive(Clone)]
pub(crate) struct Server(pub(crate) Url);

/// A database. Dropping the value drops the database.
pub(crate) struct Database {
    server: Server,
    pub(crate) name: String,
}

impl Server {
    pub(crate) fn shared() -> Self {
        Self(server_variable("LATCHKEY_TEST_POSTGRES_URL").parse().unwrap())
    }

    /// The result of a statement, without headings and borders.
    #[track_caller]
    pub(crate) fn query(&self, database: &str, sql: &str) -> String {
        self.command(database, sql).output().trim().to_owned()
    }

    pub(crate) fn command(&self, database: &str, sql: &str) -> crate::host::Ran {
        let mut command = Command::new(server_path("LATCHKEY_TEST_POSTGRES_BIN").join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        command.env("PGHOST", self.0.host_str().unwrap()).env("PGPORT", self.0.port().unwrap().to_string());
        command.env("PGUSER", self.0.username()).env("PGPASSWORD", self.0.password().unwrap_or_default());
        run(command.env("PGDATABASE", database))
    }
}

impl Database {
    pub(crate) fn on(server: &Server) -> Self {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        Self::named(server, format!("latchkey_replicas_{}_{number}", std::process::id()))
    }

    /// An empty database with the same name on another server.
    pub(crate) fn namesake_on(&self, server: &Server) -> Self {
        Self::named(server, self.name.clone())
    }

    fn named(server: &Server, name: String) -> Self {
        let make = format!(
            "DO $$ BEGIN CREATE ROLE {LOGIN} LOGIN CREATEROLE PASSWORD '{LOGIN}';
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        );
        server.query("postgres", &make);
        server.query("postgres", &format!("CREATE DATABASE {name} OWNER {LOGIN}"));
        Self { server: server.clone(), name }
    }

    pub(crate) fn url(&self) -> String {
        self.url_at(&self.server)
    }

    /// The same URL with another address of the server.
    pub(crate) fn url_at(&self, Server(server): &Server) -> String {
        format!(
            "postgres://{LOGIN}:{LOGIN}@{}:{}/{}",
            server.host_str().unwrap(),
            server.port().unwrap(),
            self.name
        )
    }

    #[track_caller]
    pub(crate) fn query(&self, sql: &str) -> String {
        self.server.query(&self.name, sql)
    }

    /// Drops all tables, through another address of the server.
    pub(crate) fn empty_at(&self, server: &Server) {
        let public =
            format!("CREATE SCHEMA public AUTHORIZATION {LOGIN}; GRANT USAGE ON SCHEMA public TO PUBLIC");
        server.query(&self.name, &format!("DROP SCHEMA public CASCADE; {public}"));
    }

    /// The URL with another login and this password.
    pub(crate) fn url_of(&self, login: &str, password: &str) -> String {
        format!("postgres://{login}:{password}@{}", self.url().split_once('@').unwrap().1)
    }

    /// Creates a login that can read all rows and write none. Its name is also its password.
    pub(crate) fn create_reader(&self, name: &str) {
        self.query(&format!("CREATE ROLE {name} LOGIN BYPASSRLS PASSWORD '{name}'"));
        self.query(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"));
    }

    pub(crate) fn drop_login(&self, name: &str) {
        self.query(&format!("DROP OWNED BY {name}"));
        self.query(&format!("DROP ROLE {name}"));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may have ended before.
        drop(self.server.command("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name)));
    }
}
