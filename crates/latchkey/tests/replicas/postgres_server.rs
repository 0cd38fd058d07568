//! A PostgreSQL of a test's own, which may be stopped and killed. It refuses to run as root, so for root it runs as the user that
//! its packages make. Only its own processes are ever signalled.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use registry::GeneratedSecret;
use tempfile::TempDir;

use crate::database::Server;
use crate::host::{run, signal, wait};
use crate::redis_server::free_port;
use crate::test_servers::{LONGEST, server_path};

const USER: &str = "postgres";

pub(crate) struct PostgresServer {
    folder: TempDir,
    port: u16,
    password: String,
    process: Option<Child>,
}

/// Also where a test fails: what is dropped after it needs the server.
pub(crate) struct Paused<'a>(&'a PostgresServer);

impl PostgresServer {
    pub(crate) fn started() -> Self {
        let password = GeneratedSecret::generate().secret.expose().to_owned();
        let mut server = Self { folder: TempDir::new().unwrap(), port: free_port(), password, process: None };
        let path = server.folder.path();
        if is_root() {
            run(Command::new("chown").arg(USER).arg(path)).output();
        }
        let secret = path.join("password");
        fs::write(&secret, &server.password).unwrap();
        let mut command = server.tool("initdb");
        command.arg("-D").arg(path.join("data")).arg("--pwfile").arg(&secret);
        command.args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"]);
        run(&mut command).output();
        server.start();
        server
    }

    /// For its administrator.
    pub(crate) fn server(&self) -> Server {
        Server(
            format!("postgres://{USER}:{}@127.0.0.1:{}/postgres", self.password, self.port).parse().unwrap(),
        )
    }

    /// What it says; of statements only once it was told to.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap()
    }

    pub(crate) fn log_statements(&self) {
        self.server().query("postgres", "ALTER SYSTEM SET log_statement = 'all'");
        self.server().query("postgres", "SELECT pg_reload_conf()");
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Returns when it accepts connections.
    pub(crate) fn start(&mut self) {
        let mut command = self.tool("postgres");
        command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
        // It must survive being killed, so it keeps its log ahead; it need not survive the machine.
        command.args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
        ]);
        let log = OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        let deadline = Instant::now() + LONGEST;
        let is_ready = || {
            let mut command = Command::new(server_path("LATCHKEY_TEST_POSTGRES_BIN").join("pg_isready"));
            run(command.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])).code == Some(0)
        };
        while !is_ready() {
            assert!(Instant::now() < deadline, "PostgreSQL does not accept connections");
            sleep(Duration::from_millis(10));
        }
    }

    /// As `pg_ctl stop -m immediate`: what is open is cut off, and the next start recovers from the log.
    pub(crate) fn stop_immediately(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        signal("QUIT", process.id());
        assert!(wait(&mut process, LONGEST).is_some(), "PostgreSQL ends when told to");
    }

    /// To those who ask for it; with a certificate and its private key, as PEM.
    pub(crate) fn speak_tls(&self, certificate: &Path, key: &Path) {
        for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
            // A key that others may read is refused, and root's is not the server's.
            let path = self.folder.path().join("data").join(to);
            let owner: &[&str] = if is_root() { &["-o", USER] } else { &[] };
            run(Command::new("install").args(["-m", "600"]).args(owner).args([from, &path])).output();
        }
        self.server().query("postgres", "ALTER SYSTEM SET ssl = on");
        self.server().query("postgres", "SELECT pg_reload_conf()");
    }

    /// It says nothing to old connections and to new ones until this is dropped.
    pub(crate) fn paused(&self) -> Paused<'_> {
        self.signal_all("STOP");
        Paused(self)
    }

    /// The server's process and those that it has made, one for each connection.
    fn signal_all(&self, name: &str) {
        let Some(process) = &self.process else { return };
        let id = process.id();
        signal(name, id);
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        for child in children.split_whitespace() {
            // One that has just ended is no loss.
            drop(run(Command::new("kill").args([&format!("-{name}"), child])));
        }
    }

    /// Ends with this process, however that ends; setpriv becomes what it starts, so the child is the server.
    fn tool(&self, name: &str) -> Command {
        let program = server_path("LATCHKEY_TEST_POSTGRES_BIN").join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--pdeathsig", "INT", "--reuid", USER, "--regid", USER, "--init-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.signal_all("CONT");
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal("QUIT", process.id());
            let _ = wait(&mut process, LONGEST);
            drop(process.kill());
            drop(process.wait());
        }
    }
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u")).output().trim() == "0"
}
