//! A measured server, on its own core, with its own folder and with its output in a file.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::SERVER_CORE;
use super::request::{Answer, Request};
use super::workload::Workload;
use crate::resident_memory::resident_mib;
use crate::servers::{free_port, spawn_logged};
use crate::workspace::{Doing, Failure, Workspace, is_content};

/// A cold start generates the first RSA key and hashes the secret.
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);
/// Short beside the measured times, and long enough to leave the core to the server.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A measured program. All serve the same paths.
pub(super) struct Program {
    /// The name in tables and of the folder.
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
    /// Whether it is `crates/gateway/examples/bare_handler`, and not a build of the platform.
    pub(super) is_bare: bool,
}

/// A running server. Dropping it ends the process, and only that one.
pub(super) struct Server {
    process: Child,
    began: Instant,
    workload: Workload,
    pub(super) address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts the server in this folder, where an earlier start may have left its store.
    pub(super) fn start(
        workspace: &Workspace,
        program: &Program,
        workload: Workload,
        folder: &Path,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(folder).doing(format_args!("make {}", folder.display()))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let log = folder.join("server.log");
        // taskset executes the server in its own process, so the child's id is the server's.
        let mut command = workspace.program("taskset", &["-c", SERVER_CORE]);
        command.arg(&program.path);
        if program.is_bare {
            let key = folder.join("signing-key.der");
            command.arg(address.to_string()).arg(workload.algorithm()).arg(key);
            command.args(workload.is_static().then_some("static"));
        } else {
            let config = folder.join("config.yaml");
            fs::write(&config, configuration(address, workload)).doing("write the configuration")?;
            command.args(["serve", "--config"]).arg(&config);
        }
        let began = Instant::now();
        let process = spawn_logged(&mut command, &log)?;
        Ok(Self { process, began, workload, address, log })
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the server answers that it is alive.
    pub(super) fn await_health(&mut self) -> Result<(), Failure> {
        self.await_ok(&Request::get("/health/live")).map(|_| ())
    }

    /// Waits for the first token, checks that it has the expected form, and returns it with
    /// the time since the start.
    pub(super) fn await_token(&mut self) -> Result<(String, Duration), Failure> {
        let answer = self.await_ok(&Request::token())?;
        let took = self.began.elapsed();
        let token = self.workload.token(&answer);
        token
            .map(|token| (token, took))
            .ok_or_else(|| self.failure(&format!("no {}:\n{}", self.workload.title(), answer.0)))
    }

    fn await_ok(&mut self, request: &Request) -> Result<Answer, Failure> {
        let deadline = Instant::now() + START;
        loop {
            if let Some(status) = self.process.try_wait().doing("look after the server")? {
                return Err(self.failure(&format!("the server ended with {status}")));
            }
            match request.send(self.address) {
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

    /// Stops the server gracefully, so that its store is complete, and returns the lines in its log.
    pub(super) fn stop(mut self) -> Result<usize, Failure> {
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
        Ok(fs::read_to_string(&self.log).doing("read the log")?.lines().count())
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

/// The `config.yaml` of the platform, with one worker. Its issuer equals the bare handler's, and is the same
/// after each restart.
fn configuration(address: SocketAddr, workload: Workload) -> String {
    let (algorithm, access_token) = (workload.algorithm(), workload.access_token());
    format!(
        "server: {{ public_url: 'http://127.0.0.1:3000', listeners: [{{ address: '{address}' }}], workers: 1 }}
storage: {{ url: 'sqlite://data/latchkey.db' }}
keys: {{ sealing_key: {{ file: data/sealing.key }} }}
tenants:
  bench:
    strategies: {{ oauth2: {{ enabled: true }} }}
    signing: {{ algorithm: {algorithm} }}
    access_token: {{ lifetime: 1h, {access_token} }}
    resource_servers: {{ bench-api: {{ scopes: [api:read, api:write] }} }}
    clients:
      bench:
        client_secret: {{ value: bench-client-secret }}
        audiences: [bench-api]
        scopes: [api:read, api:write]
"
    )
}
