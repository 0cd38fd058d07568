//! Runs the server, and shuts it down gracefully.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use administration::declaration::outcome::Outcome;
use administration::store::Generations as _;
use anyhow::Context as _;
use gateway::{CaughtMail, Gateway, ListenAddresses};
use tenancy::TenantId;
use tokio::signal::unix::{SignalKind, signal};

use crate::apply::{self, ApplyOptions, too_many_retired};
use crate::background::Background;
use crate::conflict_messages::{beyond_limits, unread};
use crate::drain::StopSignals;
use crate::last_store::LastStore;
use crate::mail_servers::MailServers;
use crate::names::names;
use crate::platform::{Platform, gateway_options};
use crate::reload::Reload;
use crate::service_manager::ServiceManager;
use crate::tls;
use settings::{Environment, Loaded, ReadError};

const SIGNALS: &str = "cannot listen for signals";
/// How long the first requests have all cores. Afterwards RSA keys are generated in advance, each of which
/// takes 60 ms of a core.
const FIRST_REQUESTS: Duration = Duration::from_secs(5);

/// Prints a greeting when the server listens. The arguments are the addresses, and whether the first one uses
/// https.
pub type Greet = Box<dyn FnOnce(&[SocketAddr], bool) -> anyhow::Result<()>>;

/// Runs the server until SIGTERM or SIGINT, then until open requests are answered. Exits with 0, or with 1
/// after a second signal. `requires_store` refuses an empty store. All mail goes to `caught`, if it is set.
pub async fn serve(
    config: &Path,
    environment: Environment,
    mut loaded: Loaded,
    requires_store: bool,
    caught: Option<CaughtMail>,
    greet: Greet,
) -> anyhow::Result<ExitCode> {
    let beyond_limits = beyond_limits(&loaded, loaded.platform.limits.clients.get().into());
    for warning in loaded.warnings.iter().chain(&beyond_limits) {
        tracing::warn!(at = %warning.location, key = warning.key, "{}", warning.explanation.problem);
    }
    // SIGHUP is handled from here on, so that a request to reload does not end a program that is still
    // starting.
    let hangup = signal(SignalKind::hangup()).context(SIGNALS)?;
    let service_manager = ServiceManager::from_environment(&environment);
    let options = gateway_options(&loaded, caught.clone())?;
    let mail = loaded.platform.mail.as_ref().map(|mail| MailServers::open(mail, caught)).transpose()?;
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
    let (watched, tenants) = (loaded.watched.clone(), names(declared));
    let server = loaded.platform.server.clone();

    // Administrators of the settings are not stored.
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
    greet(gateway.addresses(), is_https)?;
    tokio::spawn({
        let platform = Arc::clone(&platform);
        async move { feed.watch(move |news| platform.on_news(&news)).await }
    });
    tokio::spawn(reload.run(watched, hangup));
    tokio::spawn(tls::keep_fresh(options.listeners, signal(SignalKind::hangup()).context(SIGNALS)?));
    let background = Background::start(&platform, &server, mail)?;
    platform.health.pool.keep_full_after(FIRST_REQUESTS);
    let draining = stop.drain(gateway.handle(), service_manager);
    tokio::select! {
        served = gateway.serve() => served.context("the gateway stopped")?,
        () = draining => return Ok(ExitCode::FAILURE),
    }
    background.finish().await;
    platform.database.close().await;
    tracing::info!("ended");
    Ok(ExitCode::SUCCESS)
}

/// If a secret could not be read from its secret store, the stored row is used. Before the first apply there
/// is no row, so the start fails.
async fn refuse_unknown_secrets(platform: &Platform, loaded: &Loaded) -> anyhow::Result<()> {
    let faults = unread(loaded);
    if faults.is_empty() || platform.database.latest_generation().await?.is_some() {
        return Ok(());
    }
    Err(ReadError::from(faults).into())
}
