//! `latchkey serve`: reads the settings, runs the server, and shuts it down gracefully.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use administration::declaration::DeclaredSecret;
use anyhow::Context as _;
use gateway::CaughtMail;
use registry::DeclaredPassword;
use server::{block_on, logging};
use settings::{Environment, Loaded, SAMPLE_SECRET, read, refuse_beyond_loopback};

use crate::process::OUTPUT;

/// Runs the server until SIGTERM or SIGINT, then until open requests are answered. Exits with 0, or with 1
/// after a second signal.
pub(crate) fn run(config: &Path, addresses: &[SocketAddr], requires_store: bool) -> anyhow::Result<ExitCode> {
    start(config, Environment::of_process().with_addresses(addresses), requires_store, None)
}

/// Runs the server. The environment overrides the settings. At a terminal, `greeting` replaces the usual
/// greeting.
pub(crate) fn start(
    config: &Path,
    environment: Environment,
    requires_store: bool,
    greeting: Option<String>,
) -> anyhow::Result<ExitCode> {
    let _log = logging::start(environment.text("LATCHKEY_LOG"));
    let loaded = read(config, &environment)?;
    refuse_beyond_loopback(&loaded, false)?;
    let sample = sample_client(&loaded);
    // Only a development server has its own greeting.
    let caught = greeting.is_some().then(CaughtMail::default);
    let greet = |addresses: &[SocketAddr], is_https| greet(greeting, addresses, is_https, sample);
    block_on(server::serve(config, environment, loaded, requires_store, caught, Box::new(greet)))
}

/// The client of the sample settings, if it is declared with the published secret.
fn sample_client(loaded: &Loaded) -> Option<(String, String)> {
    loaded.declaration.tenants.iter().find_map(|(id, tenant)| {
        let is_sample = |secret: &DeclaredSecret| {
            matches!(&secret.password, DeclaredPassword::Value(value) if value.expose() == SAMPLE_SECRET)
        };
        let client = tenant.clients.iter().find(|client| client.secrets.iter().any(is_sample));
        client.map(|declared| (id.to_string(), declared.client.id.to_string()))
    })
}

/// Prints at a terminal what to do next: the `greeting`, or how to use the sample client.
fn greet(
    greeting: Option<String>,
    addresses: &[SocketAddr],
    is_https: bool,
    sample: Option<(String, String)>,
) -> anyhow::Result<()> {
    match greeting {
        // The log uses the standard output.
        Some(greeting) => stderr().write_all(greeting.as_bytes()).context(OUTPUT),
        None if stdout().is_terminal() => welcome(addresses, is_https, sample),
        None => Ok(()),
    }
}

/// The only place that prints the sample secret. The log never contains a secret, not even this one.
fn welcome(addresses: &[SocketAddr], is_https: bool, sample: Option<(String, String)>) -> anyhow::Result<()> {
    let (Some(address), Some((tenant, client))) = (addresses.first(), sample) else { return Ok(()) };
    let token = token_command(*address, is_https, &tenant, &client);
    writeln!(stdout(), "\nFetch a token:\n\n{token}\n\nOpen the console:\n\n  latchkey console\n")
        .context(OUTPUT)?;
    Ok(())
}

/// The command has `-k`, because nobody trusts a certificate for trials.
fn token_command(address: SocketAddr, is_https: bool, tenant: &str, client: &str) -> String {
    let (curl, scheme) = if is_https { ("curl -k", "https") } else { ("curl", "http") };
    format!(
        "  {curl} -X POST {scheme}://{address}/api/v1/tenant/{tenant}/oauth/token \\\n    \
         -d grant_type=client_credentials -d {} -d client_secret={SAMPLE_SECRET}",
        values::ShellCommand::new("client_id=CLIENT", &[("CLIENT", client)])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_command_uses_the_scheme_of_the_listener() {
        let address = "127.0.0.1:8090".parse().unwrap();
        for (is_https, begins) in [
            (false, "  curl -X POST http://127.0.0.1:8090/api/v1/tenant/acme/oauth/token \\\n"),
            (true, "  curl -k -X POST https://127.0.0.1:8090/api/v1/tenant/acme/oauth/token \\\n"),
        ] {
            let command = token_command(address, is_https, "acme", "svc");
            assert!(command.starts_with(begins) && command.contains("-d client_id=svc "), "{command}");
        }
    }
}
