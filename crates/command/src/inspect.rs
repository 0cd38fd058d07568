//! `latchkey inspect`: explains a token, an assertion, a proof, a client certificate or an API key check by
//! check. It uses the verification of a request, at the tenant's own server or at an API that verifies
//! offline.

mod api_key;
mod assertion;
mod certificate;
mod checks;
mod content;
mod dpop;
mod expected;
mod federation;
mod input;
mod offline;
mod report;
mod times;
mod token;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use gateway::{PresentedCertificates, serve_token_page};
use protocol::api_key_parts;
use registry::ClientId;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::admin_client::AdminArguments;
use crate::parse::parse_instant;
use crate::process::print;
use expected::{Expected, is_assertion};
pub(super) use input::{read, read_bytes};
use report::Report;
use server::block_on;
use server::clock;

/// Which token, and what is expected of it.
#[derive(Args)]
pub(crate) struct InspectArguments {
    /// The file that holds the token, a token response, an API key, or a client certificate in PEM or DER; -
    /// reads standard input. Never the token itself. Default: -.
    file: Option<PathBuf>,
    /// Verify with the public keys of this JWKS document, as an API does offline; an assertion
    /// with those of its client.
    #[arg(long, value_name = "FILE", conflicts_with = "tenant")]
    jwks: Option<PathBuf>,
    /// Verify as this tenant does: with its keys, issuers and type; an API key as its token endpoint does.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// The issuer that `iss` must name. Default: the tenant's.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The API's own name, which `aud` must have. Of an assertion, the token endpoint, which `aud` may
    /// have in place of the issuer.
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// The `typ` of the header. Default: the tenant's, else at+jwt.
    #[arg(long)]
    typ: Option<String>,
    /// Verify for this instant, such as 2027-01-31T12:00:00Z. Default: now.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    at: Option<Timestamp>,
    /// How far `nbf` and `iat` may be ahead. `exp` has no leeway.
    #[arg(long, value_name = "SPAN", default_value_t = keys::LEEWAY)]
    leeway: Lifetime,
    /// Check a client assertion: the client that the request names. After a tenant, and before the file, its
    /// rules over other issuers (`federated`).
    #[arg(long, value_names = ["TENANT", "CLIENT"], num_args = 1..=2, conflicts_with_all = ["tenant", "typ", "method", "url", "access_token", "client_ca"])]
    client: Vec<String>,
    /// Check a DPoP proof: the HTTP method of its request, such as POST.
    #[arg(long, value_name = "METHOD", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    method: Option<String>,
    /// Check a DPoP proof: the URL of its request, as clients see it.
    #[arg(long, value_name = "URL", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    url: Option<String>,
    /// Check a DPoP proof: the file that holds the access token beside it. Never the token itself.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    access_token: Option<PathBuf>,
    /// Check a client certificate: the file with the authorities, as `client_ca` of a listener names it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ", "method", "url", "access_token"])]
    client_ca: Option<PathBuf>,
    /// Serve a page on this machine that explains what is pasted into it, until Ctrl-C. Nothing that is
    /// pasted leaves the machine, but an API key with `--tenant`, which its server looks up.
    #[arg(long, conflicts_with_all = ["file", "json", "at", "method", "url", "access_token", "client_ca"])]
    page: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

impl InspectArguments {
    /// Of two values of `--client` without a file after them, the second one is the file.
    fn place_file(&mut self) {
        if self.file.is_none() && self.client.len() == 2 {
            self.file = self.client.pop().map(PathBuf::from);
        }
    }

    fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("-"))
    }

    /// The client that a request names.
    fn client(&self) -> anyhow::Result<Option<ClientId>> {
        let id = self.client.last().map(|id| id.parse());
        id.transpose().context("--client")
    }

    /// The tenant and the client whose rules are used.
    fn client_with_rules(&self) -> anyhow::Result<Option<(TenantId, ClientId)>> {
        let [tenant, client] = self.client.as_slice() else { return Ok(None) };
        Ok(Some((tenant.parse().context("--client")?, client.parse().context("--client")?)))
    }

    /// The given options that say what a token is checked with.
    fn options_of_tokens(&self) -> impl Iterator<Item = &'static str> {
        let Self { jwks, tenant, issuer, audience, typ, method, url, access_token, .. } = self;
        let options = [
            ("--jwks", jwks.is_some()),
            ("--tenant", tenant.is_some()),
            ("--issuer", issuer.is_some()),
            ("--audience", audience.is_some()),
            ("--typ", typ.is_some()),
            ("--method", method.is_some()),
            ("--url", url.is_some()),
            ("--access-token", access_token.is_some()),
        ];
        options.into_iter().filter(|(_, is_given)| *is_given).map(|(option, _)| option)
    }
}

/// The token fails a check, or its signature was not checked.
pub(super) const NOT_VALID: u8 = 7;

/// Prints each check with its result. Exit 0 for a token, assertion, proof, certificate or API key that
/// passes all, 7 for one that does not, 1 for an error.
pub(crate) fn run(config: &Path, mut arguments: InspectArguments) -> anyhow::Result<ExitCode> {
    arguments.place_file();
    if arguments.page {
        return serve_page(config.to_owned(), arguments);
    }
    let arguments = &arguments;
    let bytes = input::read_bytes(arguments.file())?;
    let now = arguments.at.unwrap_or_else(clock::now);
    let report = if PresentedCertificates::are(&bytes) {
        certificate::inspect(arguments, &bytes, now)?
    } else {
        inspect_token(config, arguments, &bytes, now)?
    };
    print(&if arguments.admin.json { report.json() } else { report.lines() })?;
    Ok(if report.is_valid() { ExitCode::SUCCESS } else { ExitCode::from(NOT_VALID) })
}

/// The system chooses a free port.
fn serve_page(config: PathBuf, arguments: InspectArguments) -> anyhow::Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port of this machine is free")?;
    print(&format!(
        "Open http://{} and paste a token. Ctrl-C ends the page.\n",
        listener.local_addr().context("the port has no address")?
    ))?;
    let explain = move |token: &str| {
        let report = inspect_token(&config, &arguments, token.as_bytes(), clock::now());
        report
            .map(|report| report.explanation())
            .map_err(|error| input::without_secrets(&format!("{error:#}")))
    };
    block_on(async { Ok(serve_token_page(listener, Arc::new(explain)).await?) })?;
    Ok(ExitCode::SUCCESS)
}

fn inspect_token(
    config: &Path,
    arguments: &InspectArguments,
    bytes: &[u8],
    now: Timestamp,
) -> anyhow::Result<Report> {
    if arguments.client_ca.is_some() {
        bail!("--client-ca: {} holds no certificate in PEM or DER", arguments.file().display());
    }
    let token = input::token(bytes)?;
    if let Some(parts) = api_key_parts(&token) {
        return api_key::inspect(config, arguments, &token, parts, now);
    }
    if let Some((tenant, client)) = arguments.client_with_rules()? {
        return federation::inspect(config, arguments, (&tenant, &client), &token, now);
    }
    let expected = Expected::load(config, arguments, &token, now)?;
    if let Some(report) = dpop::inspect(arguments, &token, &expected)? {
        return Ok(report);
    }
    if is_assertion(arguments, &token) {
        return Ok(assertion::inspect(arguments.client()?.as_ref(), &token, &expected));
    }
    token::inspect(&token, &expected)
}
