//! A PostgreSQL for one test, which the test may stop and kill. PostgreSQL refuses to run as root, so root
//! runs it as the user of its packages. A test only sends signals to its own processes.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use testkit::free_port;

use secrets::GeneratedSecret;
use tempfile::TempDir;

use crate::database::Server;
use crate::host::{run, signal, wait};
use crate::test_servers::{LONGEST, server_path};

const USER: &str = "postgres";

pub(crate) struct PostgresServer {
    folder: TempDir,
    port: u16,
    password: String,
    process: Option<Child>,
}

/// Resumes the server even if a test fails, because values that are dropped later need the server.
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

    /// Starts a standby of this server, which has everything that is committed until now.
    pub(crate) fn standby(&self) -> Self {
        let (folder, password) = (TempDir::new().unwrap(), self.password.clone());
        let mut standby = Self { folder, port: free_port(), password, process: None };
        if is_root() {
            run(Command::new("chown").arg(USER).arg(standby.folder.path())).output();
        }
        let mut command = standby.tool("pg_basebackup");
        command.arg("-D").arg(standby.folder.path().join("data")).arg("-d").arg(self.server().0.as_str());
        run(command.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])).output();
        standby.start();
        standby
    }

    /// Sends a signal to the server's process with this name. A process gets its name some time after it
    /// begins.
    pub(crate) fn signal_process(&self, name: &str, signal: &str) {
        let is_named = |id: &String| {
            fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(name))
        };
        let found = || self.children().into_iter().filter(is_named).collect::<Vec<_>>();
        let deadline = Instant::now() + LONGEST;
        let mut processes = found();
        while processes.is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
            processes = found();
        }
        assert_eq!(processes.len(), 1, "one {name} runs");
        run(Command::new("kill").args([&format!("-{signal}"), &processes[0]])).output();
    }

    /// Kills all processes of the server. The next start recovers from the log.
    pub(crate) fn kill(&mut self) {
        self.signal_all("KILL");
        let mut killed = self.process.take().unwrap();
        assert!(wait(&mut killed, LONGEST).is_some(), "PostgreSQL did not end");
    }

    /// The server, accessed as its administrator.
    pub(crate) fn server(&self) -> Server {
        Server(
            format!("postgres://{USER}:{}@127.0.0.1:{}/postgres", self.password, self.port).parse().unwrap(),
        )
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Starts the server and returns when it accepts connections.
    pub(crate) fn start(&mut self) {
        let mut command = self.tool("postgres");
        command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
        // The data must survive a kill, so the write-ahead log is kept. It need not survive a crash of the
        // machine.
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"] {
            command.args(["-c", setting]);
        }
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

    /// Stops like `pg_ctl stop -m immediate`: open connections are cut, and the next start recovers from the
    /// log.
    pub(crate) fn stop_immediately(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        signal("QUIT", process.id());
        assert!(wait(&mut process, LONGEST).is_some(), "PostgreSQL did not stop");
    }

    /// Enables TLS for clients that request it, with a certificate and its private key in PEM.
    pub(crate) fn speak_tls(&self, certificate: &Path, key: &Path) {
        for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
            // PostgreSQL refuses a key that others may read, and cannot read a key of root.
            let path = self.folder.path().join("data").join(to);
            let owner: &[&str] = if is_root() { &["-o", USER] } else { &[] };
            run(Command::new("install").args(["-m", "600"]).args(owner).args([from, &path])).output();
        }
        self.server().query("postgres", "ALTER SYSTEM SET ssl = on");
        self.server().query("postgres", "SELECT pg_reload_conf()");
    }

    /// The server does not respond on any connection until the guard is dropped.
    pub(crate) fn paused(&self) -> Paused<'_> {
        self.signal_all("STOP");
        Paused(self)
    }

    /// Sends a signal to the server's process and to its children, one for each connection.
    fn signal_all(&self, name: &str) {
        let Some(process) = &self.process else { return };
        let children = self.children();
        signal(name, process.id());
        for child in children {
            // A child that has just ended is not an error.
            drop(run(Command::new("kill").args([&format!("-{name}"), &child])));
        }
    }

    fn children(&self) -> Vec<String> {
        let id = self.process.as_ref().expect("the server runs").id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.split_whitespace().map(str::to_owned).collect()
    }

    /// The tool ends with this process, even if this process is killed. setpriv executes the program in its
    /// own process, so the child is the server.
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
