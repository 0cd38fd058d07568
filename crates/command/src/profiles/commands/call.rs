//! `latchkey call`: a request with a token of a profile.

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use latchkey_client::{Request, refuses_token};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Method, Response, redirect};
use settings::{Environment, files};
use url::Url;

use crate::process::{OUTPUT, exit_code_of_status, secret_input};
use crate::profiles::{
    CachedToken, Chosen, Folders, ProfileArguments, ProfileError, ProfileStore, RequestArguments,
    SharedTokens,
};
use server::block_on;

/// A request.
#[derive(Args)]
pub(crate) struct CallArguments {
    #[command(flatten)]
    profile: ProfileArguments,
    #[command(flatten)]
    request: RequestArguments,
    /// HTTP method. Default: GET, or POST with data.
    #[arg(short = 'X', long = "method", value_name = "METHOD")]
    method: Option<Method>,
    /// Request header (repeatable).
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Request body, or @FILE, or - for standard input.
    #[arg(short = 'd', long = "data", value_name = "DATA")]
    data: Option<String>,
    /// Also print the response status and headers.
    #[arg(short = 'i', long)]
    include: bool,
    /// URL of the request. It must be https, or http on this machine.
    url: Url,
}

fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `name: value`")?;
    let name: HeaderName = name.trim().parse().map_err(|_| format!("`{name}` is not a valid header name"))?;
    if name == AUTHORIZATION {
        return Err("the command sets the `authorization` header itself".to_owned());
    }
    let value = HeaderValue::from_str(value.trim())
        .map_err(|_| "the header value contains a control character".to_owned())?;
    Ok((name, value))
}

/// Sends the request. If the service refuses the token, fetches another token and sends the request again.
/// The exit code depends on the status.
pub(crate) fn run(arguments: &CallArguments) -> anyhow::Result<ExitCode> {
    let folders = Folders::from_environment(&Environment::of_process())?;
    let chosen = ProfileStore(&folders).choose(arguments.profile.profile.as_ref())?;
    let request = arguments.request.request(&chosen.profile);
    if !request.may_be_sent_to(&arguments.url) {
        bail!(
            "profile `{}` does not send its tokens to {}. Log in again with --origin or --resource for this URL, and use https",
            chosen.name,
            arguments.url.origin().ascii_serialization()
        );
    }
    let body = arguments.data.as_deref().map(body).transpose()?;
    block_on(async {
        let shared = SharedTokens::from_folders(&folders);
        let mut answer = answer(arguments, &chosen, &request, body.as_deref(), &shared).await?;
        let status = answer.status();
        let mut out = stdout().lock();
        if arguments.include {
            writeln!(out, "{:?} {status}", answer.version()).context(OUTPUT)?;
            for (name, value) in answer.headers() {
                out.write_all(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat())
                    .context(OUTPUT)?;
            }
            out.write_all(b"\n").context(OUTPUT)?;
        }
        while let Some(chunk) = answer.chunk().await.map_err(ProfileError::Unreachable)? {
            out.write_all(&chunk).context(OUTPUT)?;
        }
        out.flush().context(OUTPUT)?;
        Ok(if status.is_client_error() || status.is_server_error() {
            ExitCode::from(exit_code_of_status(status.as_u16()))
        } else {
            ExitCode::SUCCESS
        })
    })
}

async fn answer(
    arguments: &CallArguments,
    chosen: &Chosen,
    request: &Request,
    body: Option<&[u8]>,
    shared: &SharedTokens<'_>,
) -> anyhow::Result<Response> {
    // Redirects are not followed, because the user must decide where the token may be sent.
    let mut http = chosen.profile.trust().client_builder()?.redirect(redirect::Policy::none());
    if let Some(identity) = ProfileStore(shared.folders).identity(chosen)? {
        if arguments.url.scheme() != "https" {
            bail!("profile `{}` uses a client certificate, which requires https", chosen.name);
        }
        http = http.identity(identity);
    }
    // Requests to this machine use no proxy.
    let http = if values::is_loopback(&arguments.url) { http.no_proxy() } else { http }.build();
    let http = http.map_err(ProfileError::Unreachable)?;
    let method = arguments.method.clone().unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
    let send = async |token: &CachedToken| -> anyhow::Result<Response> {
        let mut header = HeaderValue::from_str(&format!("{} {}", token.token_type, token.access_token))
            .context("the token is not valid in a header")?;
        header.set_sensitive(true);
        let mut sent = http.request(method.clone(), arguments.url.clone());
        for (name, value) in &arguments.headers {
            sent = sent.header(name, value);
        }
        if let Some(body) = body {
            sent = sent.body(body.to_vec());
        }
        Ok(sent.header(AUTHORIZATION, header).send().await.map_err(ProfileError::Unreachable)?)
    };
    let token = shared.token(chosen, request).await?;
    let answer = send(&token).await?;
    if !refuses_token(answer.status(), answer.headers()) {
        return Ok(answer);
    }
    shared.invalidate(chosen, request, &token)?;
    match shared.token(chosen, request).await {
        Ok(other) if other.access_token != token.access_token => send(&other).await,
        // Without another token the refusal is the final answer.
        _ => Ok(answer),
    }
}

fn body(data: &str) -> anyhow::Result<Vec<u8>> {
    match data.strip_prefix('@') {
        Some(file) => {
            let text =
                files::read_public(Path::new(file)).with_context(|| format!("--data: cannot read {file}"))?;
            Ok(text.to_vec())
        }
        None if data == "-" => {
            Ok(secret_input::read(Path::new("-"), "standard input", "body")?.as_bytes().to_vec())
        }
        None => Ok(data.as_bytes().to_vec()),
    }
}
