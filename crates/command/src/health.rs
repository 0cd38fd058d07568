//! `latchkey health`: asks a server on this machine whether it is ready. For container engines and scripts.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{Client, Response, StatusCode, redirect};

use crate::process::print;
use server::block_on;

const PATIENCE: Duration = Duration::from_secs(3);

/// Prints the server's answer. Exits with 0 if the server is ready, and with 1 if it is not or does not
/// answer. Does not read the settings: they may have an error while the server still uses the last valid
/// ones.
pub(crate) fn run(address: SocketAddr) -> anyhow::Result<ExitCode> {
    let (is_ready, body) = block_on(probe(address))?;
    ensure!(
        !body.is_empty(),
        "the server at {address} sent a response without a body, so it is not a Latchkey server"
    );
    print(&format!("{body}\n"))?;
    Ok(if is_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn probe(address: SocketAddr) -> anyhow::Result<(bool, String)> {
    let answer = match ask("http", address).await {
        Err(error) if error.is_connect() || error.is_timeout() => {
            return Err(error).with_context(|| format!("no server responds at {address}"));
        }
        // An https listener answers without HTTP or not at all.
        Err(_) => ask("https", address).await.with_context(|| {
            format!(
                "the server at {address} does not speak HTTP, or HTTPS without a client certificate. Choose another listener"
            )
        })?,
        Ok(answer) => answer,
    };
    Ok((answer.status() == StatusCode::OK, answer.text().await?))
}

/// Accepts any certificate: the certificate is for the names that callers use, not for an address of this
/// machine, and the request contains no secret.
pub(crate) async fn ask(scheme: &str, address: SocketAddr) -> reqwest::Result<Response> {
    let client = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).no_proxy();
    let client = client.tls_danger_accept_invalid_certs(true).build()?;
    client.get(format!("{scheme}://{address}/health/ready")).send().await
}
