//! `latchkey inspect`: explains a token, an assertion, a proof, a client certificate or an API key, check by
//! check. It uses the code that verifies requests: that of the tenant's server, or that of an API that
//! verifies offline.

mod api_key;
mod arguments;
mod assertion;
mod certificate;
mod checks;
mod content;
mod dpop;
mod expected;
mod explained;
mod federation;
mod input;
mod offline;
mod opaque;
mod report;
mod times;
mod token;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use gateway::{PresentedCertificates, serve_token_page};
use keys::key_of_opaque_token;
use protocol::api_key_parts;
use values::Timestamp;

use crate::process::print;
pub(crate) use arguments::InspectArguments;
use expected::{ExpectedToken, is_assertion};
pub(super) use input::{read, read_bytes};
use report::InspectionReport;
use server::{block_on, clock};

/// The exit code if the token fails a check or its signature was not checked.
pub(super) const NOT_VALID: u8 = 7;

/// Prints each check with its result. Exits with 0 if all checks pass, with 7 if one fails, and with 1 for an
/// error.
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

/// Serves the page on a free port that the system chooses.
fn serve_page(config: PathBuf, arguments: InspectArguments) -> anyhow::Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free on this machine")?;
    print(&format!(
        "Open http://{} and paste a token. Press Ctrl-C to stop.\n",
        listener.local_addr().context("cannot read the address of the port")?
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
) -> anyhow::Result<InspectionReport> {
    if arguments.client_ca.is_some() {
        bail!("--client-ca: {} contains no certificate in PEM or DER format", arguments.file().display());
    }
    let token = input::token(bytes)?;
    if let Some((brand, id)) = api_key_parts(&token) {
        return api_key::inspect(config, arguments, &token, brand, id, now);
    }
    if let Some(key) = key_of_opaque_token(&token) {
        return opaque::inspect(config, arguments, &token, key, now);
    }
    if let Some((tenant, client)) = arguments.client_with_rules()? {
        return federation::inspect(config, arguments, &tenant, &client, &token, now);
    }
    let expected = ExpectedToken::load(config, arguments, &token, now)?;
    if let Some(report) = dpop::inspect(arguments, &token, &expected)? {
        return Ok(report);
    }
    if is_assertion(arguments, &token) {
        return Ok(assertion::inspect(arguments.client()?.as_ref(), &token, &expected));
    }
    token::inspect(&token, &expected)
}
