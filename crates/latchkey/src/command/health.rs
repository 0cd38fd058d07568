//! `latchkey health`: asks a server on this machine whether it is ready, for container engines and scripts.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use super::print;

const PATIENCE: Duration = Duration::from_secs(3);
/// No answer to this question is longer.
const LONGEST: u64 = 64 * 1024;

/// Prints what the server says. Exit 0 when it is ready, 1 when it is not or does not answer. No settings are read: they may be
/// wrong at this moment, while the server goes on with the last good ones.
pub(crate) fn run(address: SocketAddr) -> anyhow::Result<ExitCode> {
    let answer = probe(address).with_context(|| format!("no server answers at {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    print(&format!("{body}\n"))?;
    Ok(if head.starts_with("HTTP/1.1 200 ") { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn probe(address: SocketAddr) -> io::Result<String> {
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    let mut answer = String::new();
    connection.take(LONGEST).read_to_string(&mut answer)?;
    Ok(answer)
}
