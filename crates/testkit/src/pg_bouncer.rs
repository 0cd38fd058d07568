//! A PgBouncer for one test, in front of the PostgreSQL that `cargo xtask test` has started.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{free_port, server_variable};

const START: Duration = Duration::from_secs(30);

/// A PgBouncer on a free port. It is stopped when the value is dropped.
pub struct PgBouncer {
    folder: TempDir,
    port: u16,
    /// The URL of PostgreSQL, with the login for all sessions.
    server: String,
    process: Option<Child>,
}

impl PgBouncer {
    /// A pooler with this `pool_mode` and at most this many sessions. Everything else has its default.
    ///
    /// # Panics
    /// If the pooler does not start.
    #[must_use]
    pub fn started(server: &str, mode: &str, sessions: u32) -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        let mut pooler = Self { folder, port: free_port(), server: server.to_owned(), process: None };
        pooler.restart(mode, sessions);
        pooler
    }

    #[must_use]
    pub fn url(&self) -> String {
        let (login, _, database) = parts(&self.server);
        format!("postgres://{login}@127.0.0.1:{}/{database}", self.port)
    }

    /// Stops the pooler with all connections, and starts it again with these settings.
    ///
    /// # Panics
    /// If the pooler does not start.
    pub fn restart(&mut self, mode: &str, sessions: u32) {
        self.kill();
        let (login, place, _) = parts(&self.server);
        let (user, password) = login.split_once(':').expect("the URL has a password");
        let (host, port) = place.split_once(':').expect("the URL has a port");
        let settings = format!(
            "[databases]\n* = host={host} port={port} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\ndefault_pool_size = {sessions}\n",
            self.port
        );
        let file = self.folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("a file can be written");
        let mut command = Command::new(server_variable("LATCHKEY_TEST_PGBOUNCER"));
        if is_root(self.folder.path()) {
            // PgBouncer refuses to run as root.
            command.args(["--user", "postgres"]);
        }
        command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("pgbouncer can be started"));
        let deadline = Instant::now() + START;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not answer");
            sleep(Duration::from_millis(10));
        }
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it is this process's child");
            process.wait().expect("it is this process's child");
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Login, host with port, and database of a URL.
fn parts(url: &str) -> (&str, &str, &str) {
    let (login, place) = url.rsplit_once('@').expect("the URL names a user");
    let (place, database) = place.split_once('/').expect("the URL names a database");
    (login.trim_start_matches("postgres://"), place, database)
}

/// Whether this process runs as root: a new folder belongs to the user of the process.
fn is_root(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(folder).expect("the folder is there").uid() == 0
}
