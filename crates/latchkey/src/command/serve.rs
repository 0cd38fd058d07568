//! `latchkey serve`: from settings to a serving program, and to its orderly end.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use administration::{Clock, DeclaredSecret, Generations as _, Outcome};
use anyhow::Context as _;
use gateway::{Gateway, ListenAddresses};
use outbound::ReportKeys;
use registry::DeclaredPassword;
use tenancy::TenantId;
use tokio::signal::unix::{SignalKind, signal};

use super::block_on;
use super::print::OUTPUT;
use crate::apply::{self, ApplyOptions, too_many_retired};
use crate::batch_writer::BatchWriter;
use crate::clock;
use crate::conflict_messages::unread;
use crate::drain::StopSignals;
use crate::housekeeping;
use crate::last_store::LastStore;
use crate::leaks::LeakWorker;
use crate::logging;
use crate::logout_delivery::{LogoutDelivery, LogoutSender};
use crate::names::names;
use crate::periodic_writer::PeriodicWriter as _;
use crate::platform::{Platform, gateway_options};
use crate::refusal_writer::RefusalWriter;
use crate::reload::Reload;
use crate::rotation::Rotation;
use crate::secret_rotations::SecretRotations;
use crate::service_manager::ServiceManager;
use crate::tls;
use crate::usage_writer::UsageWriter;
use settings::{Environment, Loaded, ReadError, SAMPLE_SECRET, read, refuse_beyond_loopback};

const SIGNALS: &str = "signals cannot be listened to";
/// How long the first requests have the processor before RSA keys are generated in advance, which takes 60 ms of a core each.
const FIRST_REQUESTS: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT, and then until open requests are answered. Exit 0, or 1 at a second signal.
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
    for warning in &loaded.warnings {
        tracing::warn!(at = %warning.location, key = warning.key, "{}", warning.explanation.problem);
    }
    // From here on, so that asking for a reload does not end a program that is still starting.
    let hangup = signal(SignalKind::hangup()).context(SIGNALS)?;
    let service_manager = ServiceManager::of(&environment);
    let options = gateway_options(&loaded)?;
    let addresses = ListenAddresses::take(&options.listeners)?;
    let last_store = LastStore::of(config, &loaded.platform);
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
    let github_keys = loaded.platform.server.outbound.github_keys.clone();

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
    if let Some(greeting) = greeting {
        // The log is on the standard output.
        stderr().write_all(greeting.as_bytes()).context(OUTPUT)?;
    } else if stdout().is_terminal() {
        let is_https = options.listeners.first().is_some_and(|listener| listener.tls.is_some());
        welcome(gateway.addresses(), is_https, sample)?;
    }
    tokio::spawn({
        let platform = Arc::clone(&platform);
        async move { feed.watch(move |changed| platform.on_invalidation(&changed)).await }
    });
    tokio::spawn(reload.run(watched, hangup));
    tokio::spawn(tls::keep_fresh(options.listeners, signal(SignalKind::hangup()).context(SIGNALS)?));
    tokio::spawn(Arc::clone(&platform.health).watch());
    tokio::spawn(housekeeping::keep(
        Arc::clone(&platform.administrator),
        Arc::clone(&platform.services.sign_ins),
        platform.database.clone(),
        platform.database.clone(),
        platform.database.clone(),
    ));
    let sender = LogoutSender {
        tenants: platform.services.tokens.tenants.clone(),
        authenticator: Arc::clone(&platform.services.tokens.authenticator),
        engine: platform.services.tokens.engine.clone(),
        fetcher: platform.health.jwks_fetcher.fetcher(),
    };
    let (outbox, clock): (_, Clock) = (platform.database.clone(), Arc::new(clock::now));
    let logouts = LogoutDelivery { outbox, sender: Arc::new(sender), clock };
    tokio::spawn(Arc::new(logouts).run());
    let uses = &platform.services.tokens.authenticator.last_used_secrets;
    let last_used = Arc::new(BatchWriter::new(Arc::clone(uses), platform.database.clone()));
    tokio::spawn(Arc::clone(&last_used).run());
    let uses = &platform.services.tokens.authenticator.api_keys.last_used;
    let last_used_keys = Arc::new(BatchWriter::new(Arc::clone(uses), platform.database.clone()));
    tokio::spawn(Arc::clone(&last_used_keys).run());
    let counts = Arc::clone(&platform.services.usage);
    let usage = Arc::new(UsageWriter::new(counts, platform.database.clone(), Arc::new(clock::now)));
    tokio::spawn(Arc::clone(&usage).run());
    let keys = github_keys.map(|url| ReportKeys::new(platform.health.jwks_fetcher.fetcher(), url));
    let (reports, administrator) =
        (Arc::clone(&platform.services.leaks), Arc::clone(&platform.administrator));
    tokio::spawn(LeakWorker { reports, administrator, keys }.run());
    let refusals = Arc::clone(&platform.services.refusals);
    let refusals = Arc::new(RefusalWriter::new(refusals, platform.database.clone()));
    tokio::spawn(Arc::clone(&refusals).run());
    let fetch_log = Arc::clone(&platform.services.jwks_fetches);
    let fetch_log = Arc::new(BatchWriter::new(fetch_log, platform.database.clone()));
    tokio::spawn(Arc::clone(&fetch_log).run());
    let secret_rotations = SecretRotations {
        administrator: Arc::clone(&platform.administrator),
        leader: Arc::clone(&platform.rotated),
        rotated: Arc::clone(&platform.rotated_secrets),
    };
    tokio::spawn(secret_rotations.run());
    let rotation = Arc::new(rotation(&platform));
    tokio::spawn(Arc::clone(&rotation).run());
    platform.health.pool.refill_after(FIRST_REQUESTS);
    let draining = stop.drain(gateway.handle(), service_manager);
    tokio::select! {
        served = gateway.serve() => served.context("the gateway ended")?,
        () = draining => return Ok(ExitCode::FAILURE),
    }
    tokio::join!(
        rotation.finish(),
        last_used.finish(),
        last_used_keys.finish(),
        usage.finish(),
        refusals.finish(),
        fetch_log.finish()
    );
    platform.database.close().await;
    tracing::info!("ended");
    Ok(ExitCode::SUCCESS)
}

/// A secret that a secret store does not give is served from its row. Before anything was applied there is none.
async fn refuse_unknown_secrets(platform: &Platform, loaded: &Loaded) -> anyhow::Result<()> {
    let faults = unread(loaded);
    if faults.is_empty() || platform.database.latest_generation().await?.is_some() {
        return Ok(());
    }
    Err(ReadError { faults }.into())
}

fn rotation(platform: &Platform) -> Rotation {
    let (store, key_advancer) = (platform.database.clone(), Arc::clone(&platform.administrator));
    Rotation::new(store, key_advancer, Arc::new(clock::now), Arc::clone(&platform.rotated))
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

/// For the person at the terminal; the log never holds a secret, not even this one.
fn welcome(addresses: &[SocketAddr], is_https: bool, sample: Option<(String, String)>) -> anyhow::Result<()> {
    let (Some(address), Some((tenant, client))) = (addresses.first(), sample) else { return Ok(()) };
    let token = token_command(*address, is_https, &tenant, &client);
    writeln!(stdout(), "\nFetch a token:\n\n{token}\n\nOpen the console:\n\n  latchkey console\n")
        .context(OUTPUT)?;
    Ok(())
}

/// A certificate for trying things out is one that nobody trusts, hence `-k`.
fn token_command(address: SocketAddr, is_https: bool, tenant: &str, client: &str) -> String {
    let (curl, scheme) = if is_https { ("curl -k", "https") } else { ("curl", "http") };
    format!(
        "  {curl} -X POST {scheme}://{address}/api/v1/tenant/{tenant}/oauth/token \\\n    \
         -d grant_type=client_credentials -d client_id={client} -d client_secret={SAMPLE_SECRET}"
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
