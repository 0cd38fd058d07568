//! `latchkey health`: asks a server on this machine whether it is ready. For container engines and scripts.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, StatusCode};

use crate::process::print;
use server::block_on;

const PATIENCE: Duration = Duration::from_secs(3);
/// Answers to this request are shorter.
const LONGEST: u64 = 64 * 1024;

struct HealthAnswer {
    is_ready: bool,
    body: String,
}

/// Prints the server's answer. Exits with 0 if the server is ready, and with 1 if it is not or does not
/// answer. Does not read the settings: they may have an error while the server still uses the last valid
/// ones.
pub(crate) fn run(address: SocketAddr) -> anyhow::Result<ExitCode> {
    let answer = match probe(address).with_context(|| format!("no server responds at {address}"))? {
        Some(answer) => answer,
        None => block_on(probe_with_tls(address))?,
    };
    if answer.body.is_empty() {
        bail!("the server at {address} sent a response without a body, so it is not a Latchkey server");
    }
    print(&format!("{}\n", answer.body))?;
    Ok(if answer.is_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `None` if the server answers without HTTP or not at all, like an https listener.
fn probe(address: SocketAddr) -> io::Result<Option<HealthAnswer>> {
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    match connection.take(LONGEST).read_to_end(&mut answer) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => return Err(error),
        _ => {}
    }
    let answer = String::from_utf8_lossy(&answer);
    if !answer.starts_with("HTTP/1.") {
        return Ok(None);
    }
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok(Some(HealthAnswer { is_ready: head.starts_with("HTTP/1.1 200 "), body: body.to_owned() }))
}

/// Accepts any certificate: the certificate is for the names that callers use, not for an address of this
/// machine, and the request contains no secret.
async fn probe_with_tls(address: SocketAddr) -> anyhow::Result<HealthAnswer> {
    let client =
        Client::builder().timeout(PATIENCE).no_proxy().tls_danger_accept_invalid_certs(true).build()?;
    let answer = client.get(format!("https://{address}/health/ready")).send().await.with_context(|| {
        format!(
            "the server at {address} does not speak HTTP, or HTTPS without a client certificate. Choose another listener"
        )
    })?;
    Ok(HealthAnswer { is_ready: answer.status() == StatusCode::OK, body: answer.text().await? })
}
