//! `latchkey serve`: reads the settings, serves, and ends in order.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use administration::{DeclaredSecret, Generations as _, Outcome};
use anyhow::Context as _;
use gateway::{Gateway, ListenAddresses};
use registry::DeclaredPassword;
use tenancy::TenantId;
use tokio::signal::unix::{SignalKind, signal};

use super::block_on;
use crate::apply::{self, ApplyOptions, too_many_retired};
use crate::background::Background;
use crate::conflict_messages::{beyond_limits, unread};
use crate::drain::StopSignals;
use crate::last_store::LastStore;
use crate::logging;
use crate::names::names;
use crate::platform::{Platform, gateway_options};
use crate::reload::Reload;
use crate::service_manager::ServiceManager;
use crate::tls;
use process::OUTPUT;
use settings::{Environment, Loaded, ReadError, SAMPLE_SECRET, read, refuse_beyond_loopback};

const SIGNALS: &str = "signals cannot be listened to";
/// How long the first requests have the processor before RSA keys are generated in advance, which
/// takes 60 ms of a core each.
const FIRST_REQUESTS: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT, and then until open requests are answered. Exit 0,
/// or 1 at a second signal.
pub(crate) fn run(config: &Path, addresses: &[SocketAddr], requires_store: bool) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process().with_addresses(addresses);
    start(config, environment, Start { requires_store, greeting: None })
}

/// How a server starts, beside its settings.
pub(super) struct Start {
    /// An empty store is refused.
    pub(super) requires_store: bool,
    /// What is said once it serves, in place of the usual words at a terminal.
    pub(super) greeting: Option<String>,
}

/// Serves with this environment above the settings.
pub(super) fn start(config: &Path, environment: Environment, start: Start) -> anyhow::Result<ExitCode> {
    let _log = logging::start(environment.text("LATCHKEY_LOG"));
    let loaded = read(config, &environment)?;
    refuse_beyond_loopback(&loaded, false)?;
    block_on(serve(config, environment, loaded, start))
}

async fn serve(
    config: &Path,
    environment: Environment,
    mut loaded: Loaded,
    Start { requires_store, greeting }: Start,
) -> anyhow::Result<ExitCode> {
    let beyond_limits = beyond_limits(&loaded, loaded.platform.limits.clients.get().into());
    for warning in loaded.warnings.iter().chain(&beyond_limits) {
        tracing::warn!(at = %warning.location, key = warning.key, "{}", warning.explanation.problem);
    }
    // The signal is handled from here on, so that a request for a reload does not end a program that is still
    // starting.
    let hangup = signal(SignalKind::hangup()).context(SIGNALS)?;
    let service_manager = ServiceManager::from_environment(&environment);
    let options = gateway_options(&loaded)?;
    let addresses = ListenAddresses::take(&options.listeners)?;
    let last_store = LastStore::new(config, &loaded.platform);
    if requires_store {
        last_store.refuse_empty(&loaded.platform).await?;
    }
    let platform = Arc::new(Platform::open(&loaded.platform).await?);
    if let Some(emptied) = last_store.emptied(Some(&*platform.database)).await? {
        tracing::warn!("{emptied}: {}", LastStore::FIX);
    }
    refuse_unknown_secrets(&platform, &loaded).await?;
    let feed = platform.database.change_feed().await?;
    let mut reload = Reload::new(Arc::clone(&platform), config, environment, &loaded);
    let declared = loaded.declaration.tenants.keys().map(TenantId::as_str);
    let (watched, tenants, sample) = (loaded.watched.clone(), names(declared), sample_client(&loaded));
    let server = loaded.platform.server.clone();

    // The store does not hold them.
    let admins = std::mem::take(&mut loaded.admins);
    let applied = apply::apply(&platform, loaded, ApplyOptions::default(), &|_| {}).await?;
    reload.took(&applied).await?;
    last_store.remember(&platform.database).await;
    if let Outcome::TooManyRetired { plan } = applied.outcome {
        return Err(too_many_retired(&plan));
    }

    platform.services.users.replace(admins.hashed().await?);
    let gateway = Gateway::listen(addresses, &options, &platform.services)?;
    let stop = StopSignals::listen().context(SIGNALS)?;
    for address in gateway.addresses() {
        tracing::info!(%address, "listening");
    }
    tracing::info!(tenants, "serving");
    service_manager.ready();
    let is_https = options.listeners.first().is_some_and(|listener| listener.tls.is_some());
    greet(greeting, gateway.addresses(), is_https, sample)?;
    tokio::spawn({
        let platform = Arc::clone(&platform);
        async move { feed.watch(move |news| platform.on_news(&news)).await }
    });
    tokio::spawn(reload.run(watched, hangup));
    tokio::spawn(tls::keep_fresh(options.listeners, signal(SignalKind::hangup()).context(SIGNALS)?));
    let background = Background::start(&platform, &server)?;
    platform.health.pool.keep_full_after(FIRST_REQUESTS);
    let draining = stop.drain(gateway.handle(), service_manager);
    tokio::select! {
        served = gateway.serve() => served.context("the gateway ended")?,
        () = draining => return Ok(ExitCode::FAILURE),
    }
    background.finish().await;
    platform.database.close().await;
    tracing::info!("ended");
    Ok(ExitCode::SUCCESS)
}

/// If a secret store does not return a secret, its row is served. Before a first apply there is no row.
async fn refuse_unknown_secrets(platform: &Platform, loaded: &Loaded) -> anyhow::Result<()> {
    let faults = unread(loaded);
    if faults.is_empty() || platform.database.latest_generation().await?.is_some() {
        return Ok(());
    }
    Err(ReadError { faults }.into())
}

/// The client of the sample settings, if it is declared with the secret that everyone knows.
fn sample_client(loaded: &Loaded) -> Option<(String, String)> {
    loaded.declaration.tenants.iter().find_map(|(id, tenant)| {
        let is_sample = |secret: &DeclaredSecret| {
            matches!(&secret.password, DeclaredPassword::Value(value) if value.expose() == SAMPLE_SECRET)
        };
        let client = tenant.clients.iter().find(|client| client.secrets.iter().any(is_sample));
        client.map(|declared| (id.to_string(), declared.client.id.to_string()))
    })
}

/// Says at a terminal what to do next: the `greeting`, or how to use the sample client.
fn greet(
    greeting: Option<String>,
    addresses: &[SocketAddr],
    is_https: bool,
    sample: Option<(String, String)>,
) -> anyhow::Result<()> {
    match greeting {
        // The log is on the standard output.
        Some(greeting) => stderr().write_all(greeting.as_bytes()).context(OUTPUT),
        None if stdout().is_terminal() => welcome(addresses, is_https, sample),
        None => Ok(()),
    }
}

/// The secret is printed here alone: the log never holds one, not even this one.
fn welcome(addresses: &[SocketAddr], is_https: bool, sample: Option<(String, String)>) -> anyhow::Result<()> {
    let (Some(address), Some((tenant, client))) = (addresses.first(), sample) else { return Ok(()) };
    let token = token_command(*address, is_https, &tenant, &client);
    writeln!(stdout(), "\nFetch a token:\n\n{token}\n\nOpen the console:\n\n  latchkey console\n")
        .context(OUTPUT)?;
    Ok(())
}

/// Nobody trusts a certificate for trials, so the command has `-k`.
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
    fn the_command_at_the_terminal_speaks_what_the_listener_speaks() {
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
