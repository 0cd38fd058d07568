//! `latchkey explain`: why the token endpoint answers a client as it does.

mod view;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use administration::documents::{ExplainSettings, ExplanationView, Wiped};
use anyhow::{Context as _, bail};
use clap::Args;
use gateway::PresentedCertificates;
use serde_json::json;
use zeroize::Zeroizing;

use crate::admin_client::{AdminArguments, ApiRequest};
use crate::inspect::{self, NOT_VALID, read_bytes};
use crate::paths::ClientArguments;
use crate::process::secret_input;
use crate::runner::Runner;
use crate::suggested::suggested;

/// The request that is explained.
#[derive(Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    of: ClientArguments,
    /// grant_type parameter. Default: client_credentials.
    #[arg(long, value_name = "TYPE")]
    grant_type: Option<String>,
    /// Requested scope (repeatable or comma-separated). By default, the request has no scope and gets all
    /// registered scopes.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<String>,
    /// Requested resource (repeatable or comma-separated).
    #[arg(long = "resource", value_name = "URI", value_delimiter = ',')]
    resources: Vec<String>,
    /// audience parameter. Works like a resource, but need not be a URI.
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// Authentication method of the request. Default: client_secret_basic.
    #[arg(long, value_name = "METHOD", value_parser = suggested(ExplainSettings::METHODS))]
    auth_method: Option<String>,
    /// Check the secret or API key in this file; - reads standard input. A wrong secret counts as a failed
    /// attempt. By default, a correct secret is assumed.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Verify the assertion in this file without using it up; - reads standard input. Requires
    /// --auth-method private_key_jwt.
    #[arg(long, value_name = "FILE", conflicts_with = "secret_file")]
    assertion_file: Option<PathBuf>,
    /// Check the certificate (PEM or DER) and its chain in this file; - reads standard input. Requires
    /// --auth-method tls_client_auth or self_signed_tls_client_auth. Private keys in the file are ignored.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["secret_file", "assertion_file"])]
    certificate_file: Option<PathBuf>,
    /// Check the DPoP proof in this file without using it up; - reads standard input. With --access-token,
    /// the proof is for a request to a resource, otherwise for the token request.
    #[arg(long, value_name = "FILE")]
    dpop_proof: Option<PathBuf>,
    /// HTTP method of the request with the proof. Default: POST.
    #[arg(long, value_name = "METHOD", requires = "dpop_proof")]
    dpop_method: Option<String>,
    /// URL of the request with the proof, as the client sends it. Default: the tenant's token endpoint.
    #[arg(long, value_name = "URL", requires = "dpop_proof")]
    dpop_url: Option<String>,
    /// Check whether the access token in this file is valid, what revoked it, and whether the proof matches
    /// its key; - reads standard input.
    #[arg(long, value_name = "FILE")]
    access_token: Option<PathBuf>,
    #[command(flatten)]
    admin: AdminArguments,
}

/// Prints the explanation. Exits with 0 if the request gets a token, otherwise like `inspect` for an invalid
/// token.
pub(crate) fn run(config: &Path, arguments: &ExplainArguments) -> anyhow::Result<ExitCode> {
    let ExplainArguments { of, scopes, admin, .. } = arguments;
    let certificate = arguments.certificate_file.as_deref().map(read_certificate).transpose()?;
    let secret = read_secret("--secret-file", arguments.secret_file.as_deref())?;
    let assertion = read_secret("--assertion-file", arguments.assertion_file.as_deref())?;
    let proof = arguments.dpop_proof.as_deref().map(inspect::read).transpose().context("--dpop-proof")?;
    let token = arguments.access_token.as_deref().map(inspect::read).transpose().context("--access-token")?;
    let body = Wiped::new(json!({
        "grant_type": arguments.grant_type,
        "scope": (!scopes.is_empty()).then(|| scopes.join(" ")),
        "resource": arguments.resources,
        "audience": arguments.audience,
        "token_endpoint_auth_method": arguments.auth_method,
        "client_secret": secret.as_deref(),
        "client_certificate": certificate,
        "client_assertion": assertion.as_deref(),
        "dpop_proof": proof.as_deref(),
        "dpop_method": arguments.dpop_method,
        "dpop_url": arguments.dpop_url,
        "access_token": token.as_deref(),
    }));
    let request = ApiRequest::question(format!("{}/explain", of.path()), &*body);
    let runner = Runner { config, arguments: admin };
    runner.run(async |admin| {
        let explained: ExplanationView = admin.send(request).await?;
        let printed = runner.print(&explained, || view::lines(of, &explained))?;
        Ok(if is_accepted(&explained) { printed } else { ExitCode::from(NOT_VALID) })
    })
}

/// Whether the request gets a token and no further credential in it was refused.
fn is_accepted(explained: &ExplanationView) -> bool {
    let beside = explained.dpop_proof.iter().chain(&explained.access_token);
    explained.result.status == 200 && beside.into_iter().all(|check| check.result != "refused")
}

/// The certificates in a PEM file, without the rest of the file.
fn read_certificate(file: &Path) -> anyhow::Result<String> {
    let bytes = read_bytes(file).context("--certificate-file")?;
    let named = || format!("--certificate-file: cannot use {}", file.display());
    Ok(PresentedCertificates::read(&bytes).with_context(named)?.to_pem())
}

/// The secret or assertion in a file, without the line break at the end.
fn read_secret(option: &str, file: Option<&Path>) -> anyhow::Result<Option<Zeroizing<String>>> {
    let Some(file) = file else { return Ok(None) };
    let named = format!("{option} {}", file.display());
    let mut text = secret_input::read(file, &named, "secret")?;
    if text.len() > secret_input::LARGEST {
        bail!("{named} is too large for a secret");
    }
    for end in ['\n', '\r'] {
        if text.ends_with(end) {
            text.pop();
        }
    }
    if text.is_empty() {
        bail!("{named} is empty");
    }
    Ok(Some(text))
}
