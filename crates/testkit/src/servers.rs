//! The servers that `cargo xtask test` has started or installed, and a Redis for one test. A test only sends
//! signals to its own processes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::free_port;

const START: Duration = Duration::from_secs(30);

/// The address of a server from an environment variable. Without the variable the test fails, because
/// skipping the test would hide errors.
///
/// # Panics
/// If the variable is not set.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "xtask tells tests, through the environment, where their servers are"
)]
pub fn server_variable(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test`"))
}

/// A Redis on a free port, in a folder that is deleted with this value.
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    /// A server that does not run yet.
    #[must_use]
    pub fn absent() -> Self {
        let folder = TempDir::new().expect("a folder can be made");
        Self { folder, port: free_port(), arguments: Vec::new(), process: None }
    }

    #[must_use]
    pub fn started() -> Self {
        Self::with_arguments(&[])
    }

    /// A server that was started with these additional arguments.
    #[must_use]
    pub fn with_arguments(arguments: &[&str]) -> Self {
        let mut server = Self::absent();
        server.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        server.start();
        server
    }

    /// A sentinel with these additional settings that monitors this server under the name `main`.
    #[must_use]
    pub fn sentinel(&self, more: &str) -> Self {
        let mut sentinel = Self::absent();
        let settings = sentinel.folder.path().join("sentinel.conf");
        fs::write(&settings, format!("sentinel monitor main 127.0.0.1 {} 1\n{more}\n", self.port))
            .expect("a file can be written");
        sentinel.arguments = vec![settings.to_string_lossy().into_owned(), "--sentinel".to_owned()];
        sentinel.start();
        sentinel
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.host())
    }

    #[must_use]
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts the server, and returns when it answers.
    pub fn start(&mut self) {
        let mut command = Command::new(server_variable("LATCHKEY_TEST_REDIS_SERVER"));
        command.args(&self.arguments).args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        if !self.arguments.iter().any(|argument| argument == "--sentinel") {
            command.args(["--save", "", "--appendonly", "no"]);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        self.process = Some(command.stderr(Stdio::null()).spawn().expect("redis-server can be started"));
        let deadline = Instant::now() + START;
        while !self.answers() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            sleep(Duration::from_millis(10));
        }
    }

    fn answers(&self) -> bool {
        let ping = || {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        // A server with a password gives the second answer.
        ping().is_ok_and(|answer| [*b"+PONG", *b"-NOAU"].contains(&answer))
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it is this process's child");
            process.wait().expect("it is this process's child");
        }
    }

    /// Stops the server with a signal: it answers nothing until it is resumed.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets a paused server answer again.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().expect("it runs").id().to_string();
        let done = Command::new("kill").args([signal, &id]).status().expect("kill can be run");
        assert!(done.success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
