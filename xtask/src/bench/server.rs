//! A server under measurement: the platform with one worker on one core, a folder of its own and its access log in a file, or the bare
//! handler for comparison.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Algorithm, SERVER_CORE};
use crate::workspace::{Doing, Failure, Workspace, is_content, read_output};

/// `bench:bench-client-secret` in base64. The server hashes a chosen secret once and caches the result, so it costs as much as a generated
/// one.
pub(super) const BASIC_CREDENTIALS: &str = "YmVuY2g6YmVuY2gtY2xpZW50LXNlY3JldA==";
pub(super) const REQUEST_BODY: &str = "grant_type=client_credentials&scope=api:read";

/// A cold start generates the first RSA key and hashes the secret.
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);
const EXCHANGE: Duration = Duration::from_secs(10);

/// The program to start.
#[derive(Clone, Copy)]
pub(super) enum Program<'a> {
    /// A build of the platform.
    Platform(&'a Path),
    /// `crates/gateway/examples/bare_handler.rs`.
    BareHandler(&'a Path),
}

/// A running server. Dropping it ends the process, and only that one.
pub(super) struct Server {
    process: Child,
    address: SocketAddr,
    path: &'static str,
    log: PathBuf,
    ticks_per_second: f64,
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
        let ticks = read_output(&mut workspace.program("getconf", &["CLK_TCK"]))?;
        let ticks_per_second = String::from_utf8_lossy(&ticks).trim().parse().unwrap_or(100.0);
        // taskset executes the server in its own process, so the child's id is the server's.
        let mut command = workspace.program("taskset", &["-c", SERVER_CORE]);
        let path = match program {
            Program::Platform(program) => {
                let config = folder.join("config.yaml");
                fs::write(&config, configuration(address, algorithm)).doing("write the configuration")?;
                command.arg(program).args(["serve", "--config"]).arg(&config);
                command.env("LATCHKEY__SERVER__WORKERS", "1");
                "/api/v1/tenant/bench/oauth/token"
            }
            Program::BareHandler(program) => {
                command.arg(program).arg(address.to_string()).arg(algorithm.name());
                "/oauth/token"
            }
        };
        let process = command.stdout(Stdio::from(output)).stderr(Stdio::from(errors)).spawn();
        Ok(Self { process: process.doing("start the server")?, address, path, log, ticks_per_second })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Waits for the first token and checks that it has the expected form.
    pub(super) fn await_token(&mut self, algorithm: Algorithm) -> Result<(), Failure> {
        let deadline = Instant::now() + START;
        let last = loop {
            if let Some(status) = self.process.try_wait().doing("look after the server")? {
                return Err(self.failure(&format!("the server ended with {status}")));
            }
            match self.request_token() {
                Ok(answer) if answer.starts_with("HTTP/1.1 200") => break answer,
                Ok(answer) if Instant::now() > deadline => {
                    return Err(self.failure(&format!("the server gives no token:\n{answer}")));
                }
                Err(error) if Instant::now() > deadline => {
                    return Err(self.failure(&format!("the server does not answer: {error}")));
                }
                Ok(_) | Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        };
        if has_token(&last, algorithm.signature_length()) {
            return Ok(());
        }
        Err(self.failure(&format!("the answer holds no token signed with {}:\n{last}", algorithm.name())))
    }

    /// User and system time of all threads.
    pub(super) fn cpu_seconds(&self) -> Result<f64, Failure> {
        let file = format!("/proc/{}/stat", self.process.id());
        let text = fs::read_to_string(&file).doing(format_args!("read {file}"))?;
        let ticks = cpu_ticks(&text).ok_or_else(|| Failure::new(format!("cannot understand {file}")))?;
        Ok(ticks / self.ticks_per_second)
    }

    /// Resident memory.
    pub(super) fn memory_kib(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Stops the server gracefully and returns the number of token requests in its access log.
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
        let log = fs::read_to_string(&self.log).doing("read the log")?;
        Ok(log.lines().filter(|line| line.contains("oauth/token")).count())
    }

    fn request_token(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, EXCHANGE)?;
        stream.set_read_timeout(Some(EXCHANGE))?;
        let length = REQUEST_BODY.len();
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Basic {BASIC_CREDENTIALS}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{REQUEST_BODY}",
            self.path, self.address
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
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

fn configuration(address: SocketAddr, algorithm: Algorithm) -> String {
    let algorithm = algorithm.name();
    format!(
        "server:
  public_url: http://{address}
  listeners: [{{ address: '{address}' }}]
  default_tenant: bench
storage: {{ url: 'sqlite://data/latchkey.db' }}
keys: {{ sealing_key: {{ file: data/sealing.key }} }}
tenants:
  bench:
    name: Bench
    strategies: {{ oauth2: {{ enabled: true }} }}
    signing: {{ algorithm: {algorithm} }}
    access_token: {{ lifetime: 1h, format: jwt }}
    resource_servers:
      bench-api: {{ scopes: [api:read, api:write] }}
    clients:
      bench:
        name: Load
        client_secret: {{ value: bench-client-secret }}
        grant_types: [client_credentials]
        audiences: [bench-api]
        scopes: [api:read, api:write]
"
    )
}

fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    listener.local_addr().doing("find a free port")
}

/// Fields 14 and 15 of proc(5) stat. The second field is a name in parentheses and may contain spaces.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Whether the answer has a JWT whose signature has this length. The header begins with `{"`, so the first part begins with `ey`.
fn has_token(answer: &str, signature: usize) -> bool {
    let tokens = answer.split('"').filter(|word| word.starts_with("ey"));
    let mut parts = tokens.map(|token| token.split('.').map(str::len).collect::<Vec<_>>());
    parts.any(|parts| matches!(parts[..], [_, _, length] if length == signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_a_name_with_blanks_and_brackets() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 120 30 0 0 20";
        assert_eq!(cpu_ticks(stat), Some(150.0));
        assert_eq!(cpu_ticks("42"), None);
    }

    #[test]
    fn a_token_of_another_kind_is_not_measured() {
        let answer = |signature: usize| {
            format!("HTTP/1.1 200 OK\r\n\r\n{{\"access_token\":\"eyJh.eyJp.{}\"}}", "A".repeat(signature))
        };
        assert!(has_token(&answer(342), 342));
        assert!(!has_token(&answer(86), 342));
        assert!(!has_token("HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"opaque\"}", 342));
    }
}
