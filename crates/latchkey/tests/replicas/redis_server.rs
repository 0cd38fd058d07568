//! A Redis for one test, on a free port and in a temporary folder, and a plain connection to inspect and forge values. Only its own process
//! gets signals.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use testkit::free_port;

use tempfile::TempDir;

use crate::host::signal;
use crate::test_servers::{LONGEST, server_path};

pub(crate) struct RedisServer {
    folder: TempDir,
    port: u16,
    /// On a separate port.
    tls: Option<Tls>,
    process: Option<Child>,
}

struct Tls {
    port: u16,
    certificate: PathBuf,
    key: PathBuf,
}

/// The parts of an answer that tests need.
#[derive(Debug)]
pub(crate) enum Reply {
    Text(Vec<u8>),
    Many(Vec<Reply>),
    Error,
}

impl RedisServer {
    /// A server that does not run yet.
    pub(crate) fn absent() -> Self {
        Self { folder: TempDir::new().unwrap(), port: free_port(), tls: None, process: None }
    }

    pub(crate) fn started() -> Self {
        let mut server = Self::absent();
        server.start();
        server
    }

    /// With an additional port for TLS only.
    pub(crate) fn started_with_tls(certificate: &Path, key: &Path) -> Self {
        let tls = Tls { port: free_port(), certificate: certificate.to_owned(), key: key.to_owned() };
        let mut server = Self::absent();
        server.tls = Some(tls);
        server.start();
        server
    }

    pub(crate) fn tls_url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.tls.as_ref().unwrap().port)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn start(&mut self) {
        let mut command = Command::new(server_path("LATCHKEY_TEST_REDIS_SERVER"));
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string()]);
        command.args(["--save", "", "--appendonly", "no"]).current_dir(self.folder.path());
        if let Some(tls) = &self.tls {
            command.args(["--tls-port", &tls.port.to_string(), "--tls-auth-clients", "no"]);
            command.arg("--tls-cert-file").arg(&tls.certificate).arg("--tls-key-file").arg(&tls.key);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        let deadline = Instant::now() + LONGEST;
        while self.send_request(&[b"PING"]).is_err() {
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
        signal("STOP", self.process.as_ref().unwrap().id());
    }

    pub(crate) fn resume(&self) {
        signal("CONT", self.process.as_ref().unwrap().id());
    }

    /// Runs one command on a new connection.
    #[track_caller]
    pub(crate) fn command(&self, words: &[&[u8]]) -> Reply {
        self.send_request(words).unwrap()
    }

    /// All names that programs have written.
    pub(crate) fn names(&self) -> Vec<Vec<u8>> {
        match self.command(&[b"KEYS", b"latchkey:*"]) {
            Reply::Many(names) => names.into_iter().map(Reply::text).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// Number of executed scripts: every operation of programs on rows and changes is one script.
    pub(crate) fn scripts_run(&self) -> u64 {
        let statistics = String::from_utf8(self.command(&[b"INFO", b"commandstats"]).text()).unwrap();
        let calls = |name: &str| {
            let line = statistics.lines().find_map(|line| line.strip_prefix(name))?;
            line.split(',').next()?.parse::<u64>().ok()
        };
        calls("cmdstat_evalsha:calls=").unwrap_or(0) + calls("cmdstat_eval:calls=").unwrap_or(0)
    }

    fn send_request(&self, words: &[&[u8]]) -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        stream.write_all(&request)?;
        read(&mut BufReader::new(stream))
    }
}

impl Reply {
    #[track_caller]
    pub(crate) fn text(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The protocol, RESP 2: simple strings, errors, integers, bulk strings, arrays.
fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Reply> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let length = rest.parse::<i64>().unwrap_or(0);
    Ok(match kind {
        "-" => Reply::Error,
        "$" if length >= 0 => {
            let mut text = vec![0; usize::try_from(length).unwrap() + 2];
            stream.read_exact(&mut text)?;
            text.truncate(text.len() - 2);
            Reply::Text(text)
        }
        "*" => Reply::Many((0..length).map(|_| read(stream)).collect::<Result<_, _>>()?),
        _ => Reply::Text(rest.as_bytes().to_vec()),
    })
}
