//! A measured server, on its own core, with its own folder and with its output in a file.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::algorithm::Algorithm;
use super::endpoints::Endpoints;
use super::exchange::{Answer, exchange};
use super::program::Program;
use super::request::Request;
use super::setup::Setup;
use crate::resident_memory::resident_mib;
use crate::workspace::{Doing, Failure, Workspace, is_content, read_output};

/// A cold start generates the first RSA key and hashes the secret.
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);
/// Short beside the measured times, and long enough to leave the core to the server.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A running server. Dropping it ends the process, and only that one.
pub(super) struct Server {
    process: Child,
    began: Instant,
    algorithm: Algorithm,
    address: SocketAddr,
    tls: Option<SocketAddr>,
    endpoints: Endpoints,
    log: PathBuf,
    /// The platform's program and its configuration.
    platform: Option<[PathBuf; 2]>,
}

impl Server {
    /// Starts the server in this folder, where an earlier start may have left its store.
    pub(super) fn start(
        workspace: &Workspace,
        program: Program<'_>,
        setup: &Setup<'_>,
        folder: &Path,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(folder).doing(format_args!("make {}", folder.display()))?;
        let log = folder.join("server.log");
        let output = File::create(&log).doing("make the log")?;
        let errors = output.try_clone().doing("make the log")?;
        // taskset executes the server in its own process, so the child's id is the server's.
        let mut command = workspace.program("taskset", &["-c", setup.cores]);
        program.prepare(&mut command, setup, folder)?;
        let platform = match program {
            Program::Platform(path) => Some([path.to_owned(), folder.join("config.yaml")]),
            Program::BareHandler(_) | Program::OidcProvider(_) => None,
        };
        let began = Instant::now();
        let process = command.stdout(Stdio::from(output)).stderr(Stdio::from(errors)).spawn();
        Ok(Self {
            process: process.doing("start the server")?,
            began,
            algorithm: setup.algorithm,
            address: setup.address,
            tls: setup.tls.map(|(address, _)| address),
            endpoints: program.endpoints(),
            log,
            platform,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        self.endpoints
    }

    /// The TLS listener.
    pub(super) fn tls(&self) -> Result<SocketAddr, Failure> {
        self.tls.ok_or_else(|| Failure::new("the server has no TLS listener"))
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the server answers that it is alive.
    pub(super) fn await_health(&mut self) -> Result<(), Failure> {
        self.await_ok(&Request::health(self.endpoints)).map(|_| ())
    }

    /// Waits for the first token, checks that it has the expected form, and returns it with
    /// the time since the start.
    pub(super) fn await_token(&mut self) -> Result<(String, Duration), Failure> {
        let answer = self.await_ok(&Request::token(self.endpoints))?;
        let took = self.began.elapsed();
        let token = answer.access_token(self.algorithm);
        token.map(|token| (token, took)).ok_or_else(|| {
            self.failure(&format!("no token signed with {}:\n{}", self.algorithm.name(), answer.0))
        })
    }

    /// Creates an API key of the load's client with the command line of the platform. Other servers have
    /// none.
    pub(super) fn make_api_key(&self, workspace: &Workspace) -> Result<Option<String>, Failure> {
        let Some([program, config]) = &self.platform else { return Ok(None) };
        let mut command = workspace.program(&program.to_string_lossy(), &["api-key", "add", "bench"]);
        command.args(["bench", "--name", "Load", "--json", "--config"]).arg(config);
        let made = read_output(&mut command)?;
        let made = serde_json::from_slice(&made).map_err(io::Error::from);
        let made: serde_json::Value = made.doing("read the new API key")?;
        let key = made["api_key"].as_str().map(str::to_owned);
        key.map(Some).ok_or_else(|| Failure::new(format!("no API key was made: {made}")))
    }

    fn await_ok(&mut self, request: &Request) -> Result<Answer, Failure> {
        let deadline = Instant::now() + START;
        loop {
            if let Some(status) = self.process.try_wait().doing("look after the server")? {
                return Err(self.failure(&format!("the server ended with {status}")));
            }
            match exchange(self.address, request) {
                Ok(answer) if answer.status() == 200 => return Ok(answer),
                Ok(answer) if Instant::now() > deadline => {
                    return Err(self.failure(&format!("the server does not answer 200:\n{}", answer.0)));
                }
                Err(error) if Instant::now() > deadline => {
                    return Err(self.failure(&format!("the server does not answer: {error}")));
                }
                Ok(_) | Err(_) => thread::sleep(LOOK_AGAIN),
            }
        }
    }

    /// Resident memory in MiB.
    pub(super) fn memory(&self) -> f64 {
        resident_mib(self.process.id())
    }

    /// Stops the server gracefully and returns the number of lines in its access log with this text.
    pub(super) fn stop(mut self, text: &str) -> Result<usize, Failure> {
        let id = self.process.id().to_string();
        let mut terminate = std::process::Command::new("kill");
        let requested = is_content(terminate.args(["-TERM", &id]));
        let deadline = Instant::now() + STOP;
        while requested && self.process.try_wait().doing("wait for the server")?.is_none() {
            if Instant::now() > deadline {
                return Err(self.failure("the server did not stop when asked to"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(&self.log).doing("read the log")?;
        Ok(log.lines().filter(|line| line.contains(text)).count())
    }

    fn failure(&self, what: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(20)..].join("\n");
        Failure::new(format!("{what}\nthe end of {}:\n{tail}", self.log.display()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail harmlessly when the server has already ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
