//! A server under measurement, on its own core, in a folder of its own and with its output in a file.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::SERVER_CORE;
use super::algorithm::Algorithm;
use super::cpu_time::CpuTime;
use super::exchange::exchange;
use super::program::{Endpoints, Program};
use super::request::Request;
use super::workload::access_token;
use crate::workspace::{Doing, Failure, Workspace, is_content};

/// A cold start generates the first RSA key and hashes the secret.
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);

/// A running server. Dropping it ends the process, and only that one.
pub(super) struct Server {
    process: Child,
    address: SocketAddr,
    endpoints: Endpoints,
    log: PathBuf,
}

impl Server {
    /// Starts the server in a new folder.
    pub(super) fn start(
        workspace: &Workspace,
        program: Program<'_>,
        algorithm: Algorithm,
        folder: &Path,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(folder).doing(format_args!("make {}", folder.display()))?;
        let address = free_address()?;
        let log = folder.join("server.log");
        let output = File::create(&log).doing("make the log")?;
        let errors = output.try_clone().doing("make the log")?;
        // taskset executes the server in its own process, so the child's id is the server's.
        let mut command = workspace.program("taskset", &["-c", SERVER_CORE]);
        program.prepare(&mut command, address, algorithm, folder)?;
        let process = command.stdout(Stdio::from(output)).stderr(Stdio::from(errors)).spawn();
        Ok(Self { process: process.doing("start the server")?, address, endpoints: program.endpoints(), log })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        self.endpoints
    }

    /// Waits for the first token, checks that it has the expected form, and returns it.
    pub(super) fn await_token(&mut self, algorithm: Algorithm) -> Result<String, Failure> {
        let (deadline, request) = (Instant::now() + START, Request::token(self.endpoints));
        loop {
            if let Some(status) = self.process.try_wait().doing("look after the server")? {
                return Err(self.failure(&format!("the server ended with {status}")));
            }
            match exchange(self.address, &request) {
                Ok(answer) if answer.status() == 200 => {
                    return access_token(&answer, algorithm).ok_or_else(|| {
                        let what = format!("no token signed with {}:\n{}", algorithm.name(), answer.0);
                        self.failure(&what)
                    });
                }
                Ok(answer) if Instant::now() > deadline => {
                    return Err(self.failure(&format!("the server gives no token:\n{}", answer.0)));
                }
                Err(error) if Instant::now() > deadline => {
                    return Err(self.failure(&format!("the server does not answer: {error}")));
                }
                Ok(_) | Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    pub(super) fn cpu_time(&self) -> Result<CpuTime, Failure> {
        CpuTime::of(&[self.process.id()])
    }

    /// Resident memory.
    pub(super) fn memory_kib(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Stops the server gracefully and returns the number of requests for this path in its access log.
    pub(super) fn stop(mut self, path: &str) -> Result<usize, Failure> {
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
        Ok(log.lines().filter(|line| line.contains(path)).count())
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

fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    listener.local_addr().doing("find a free port")
}
