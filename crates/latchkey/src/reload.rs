//! Taking over a changed configuration: when a file changes, on SIGHUP, and by looking every 15 s, because some mounts tell
//! nobody. What cannot be read or applied changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use administration::{ContentHash, Options, Outcome, Retirements};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::declare::declare;
use crate::platform::Platform;
use crate::settings::{Environment, Loaded, MaxRetired, ReadError, read};
use crate::start_error::StartError;
use crate::clock;

/// Editors write a file in several steps; this is how long they are given.
const SETTLE: Duration = Duration::from_millis(200);
/// How often the files are read when nobody said that they changed.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How far applying may go.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// Retire as much as there is.
    pub(crate) prune: bool,
    /// Apply an older generation again.
    pub(crate) force: bool,
}

/// Makes the store agree with the settings and lets caches forget what changed.
pub(crate) async fn apply(platform: &Platform, loaded: Loaded, asked: Asked) -> Result<Outcome, StartError> {
    let content = ContentHash::of([loaded.content_hash.as_bytes()]);
    let options = Options {
        max_retired: retirements(&loaded.reconcile.max_retired),
        prune: asked.prune,
        force_generation: asked.force,
        now: clock::now(),
    };
    let declaration = declare(loaded.tenants)?;
    let outcome = platform.reconciler.apply(&declaration, &content, &options).await?;
    if let Outcome::Applied { invalidations, .. } = &outcome {
        platform.forget(invalidations);
    }
    Ok(outcome)
}

/// Watches the files of the settings until the program ends.
pub(crate) struct Reload {
    platform: Arc<Platform>,
    config: PathBuf,
    environment: Arc<Environment>,
    /// What the running server was built from and cannot change without a start.
    fixed: String,
    /// What was last applied, or refused: neither is tried again until the files change.
    seen: String,
}

impl Reload {
    pub(crate) fn new(platform: Arc<Platform>, config: &Path, environment: Environment, loaded: &Loaded) -> Self {
        Self {
            platform,
            config: config.to_owned(),
            environment: Arc::new(environment),
            fixed: fixed(loaded),
            seen: loaded.content_hash.clone(),
        }
    }

    pub(crate) async fn run(mut self, watched: Vec<PathBuf>) {
        let (events, mut changed) = mpsc::channel(1);
        let mut watcher = watcher(events);
        watch(watcher.as_mut(), &watched);
        let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => hangup,
            Err(error) => return tracing::error!(%error, "SIGHUP cannot be listened to; settings are not reloaded"),
        };
        loop {
            let asked = tokio::select! {
                Some(()) = changed.recv() => { sleep(SETTLE).await; let _ = changed.try_recv(); false }
                _ = hangup.recv() => true,
                _ = looks.tick() => false,
            };
            if let Some(watched) = self.look(asked).await {
                watch(watcher.as_mut(), &watched);
            }
        }
    }

    /// Reads everything; `asked` says more about what is found, because somebody waits for an answer.
    async fn look(&mut self, asked: bool) -> Option<Vec<PathBuf>> {
        let (config, environment) = (self.config.clone(), Arc::clone(&self.environment));
        let loaded = match spawn_blocking(move || read(&config, &environment)).await.ok()? {
            Ok(loaded) => loaded,
            Err(error) => {
                self.refused(asked, &error);
                return None;
            }
        };
        if !asked && loaded.content_hash == self.seen {
            return None;
        }
        self.seen.clone_from(&loaded.content_hash);
        if fixed(&loaded) != self.fixed {
            tracing::warn!("server, storage, cache, keys, limits and protected_resource take effect at the next start");
        }
        let watched = loaded.watched.clone();
        match apply(&self.platform, loaded, Asked::default()).await {
            Ok(outcome) => say(&outcome),
            Err(error) => tracing::error!(%error, "settings not applied; the last good ones go on"),
        }
        Some(watched)
    }

    fn refused(&mut self, asked: bool, error: &ReadError) {
        let text = error.to_string();
        if asked || self.seen != text {
            tracing::error!(error = text, "settings not taken over; the last good ones go on");
            self.seen = text;
        }
    }
}

/// What became of the settings, for the log.
pub(crate) fn say(outcome: &Outcome) {
    match outcome {
        Outcome::Unchanged => tracing::info!("settings unchanged"),
        Outcome::Applied { plan, generation, .. } => {
            tracing::info!(generation, changes = plan.changes.len(), "settings applied");
        }
        Outcome::OlderGeneration => tracing::warn!(
            "these settings were replaced by later ones; the store is served as it is. If they are meant, run `latchkey apply`"
        ),
        Outcome::TooManyRetired { plan } => {
            let Retirements { tenants, clients } = plan.retirements();
            tracing::error!(
                tenants,
                clients,
                "settings not applied: they would retire more than reconcile.max_retired allows. If it is meant, run `latchkey apply --prune`"
            );
        }
    }
}

fn retirements(allowed: &MaxRetired) -> Retirements {
    Retirements { tenants: allowed.tenants as usize, clients: allowed.clients as usize }
}

fn fixed(loaded: &Loaded) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        loaded.server, loaded.storage, loaded.sealing_key, loaded.limits, loaded.protected_resource
    )
}

/// A watcher that says only that something happened: what, is found by reading.
fn watcher(events: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            let _ = events.try_send(());
        }
    });
    watcher.map_err(|error| tracing::warn!(%error, "files cannot be watched; they are looked at every 15 s")).ok()
}

/// Folders are watched rather than files: an editor that replaces a file, or a mount that swaps a link, makes a new one.
fn watch(watcher: Option<&mut RecommendedWatcher>, paths: &[PathBuf]) {
    let Some(watcher) = watcher else { return };
    for path in paths {
        let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(path) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
            tracing::warn!(%error, folder = %folder.display(), "folder cannot be watched; it is looked at every 15 s");
        }
    }
}
