//! A Redis of a test's own, on a free port and in a folder that goes with it. Only its own process is ever signalled.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use testkit::free_port;

use tempfile::TempDir;

const START: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Server {
    /// One that is not running yet.
    pub(crate) fn absent() -> Self {
        Self { folder: TempDir::new().unwrap(), port: free_port(), arguments: Vec::new(), process: None }
    }

    pub(crate) fn started() -> Self {
        let mut server = Self::absent();
        server.start();
        server
    }

    pub(crate) fn with_arguments(arguments: &[&str]) -> Self {
        let mut server = Self::absent();
        server.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        server.start();
        server
    }

    /// One that watches over this server, and calls it `main`.
    pub(crate) fn sentinel(&self) -> Self {
        let mut sentinel = Self::absent();
        let settings = sentinel.folder.path().join("sentinel.conf");
        fs::write(&settings, format!("sentinel monitor main 127.0.0.1 {} 1\n", self.port)).unwrap();
        sentinel.arguments = vec![settings.to_string_lossy().into_owned(), "--sentinel".to_owned()];
        sentinel.start();
        sentinel
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn start(&mut self) {
        let mut command = Command::new(PathBuf::from(server_variable("LATCHKEY_TEST_REDIS_SERVER")));
        command.args(&self.arguments).args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        if !self.arguments.iter().any(|argument| argument == "--sentinel") {
            command.args(["--save", "", "--appendonly", "no"]);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        self.process = Some(command.stderr(Stdio::null()).spawn().unwrap());
        let deadline = Instant::now() + START;
        while connection(&self.url()).is_none() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// For a look at what is there, and for mischief.
pub(crate) fn connection(url: &str) -> Option<redis::Connection> {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_connection_with_timeout(Duration::from_secs(1)).ok()?;
    redis::cmd("PING").query::<String>(&mut connection).ok().map(|_| connection)
}

/// What `cargo xtask test` says in the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask tells tests, through the environment, where their servers are"
)]
pub(crate) fn server_variable(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test`"))
}
