//! Taking over a changed configuration: when a file changes, on SIGHUP, and by looking every 15 s, because some mounts tell
//! nobody. What cannot be read or applied changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use administration::Outcome;
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::admins::Admins;
use crate::apply::{Asked, apply, say};
use crate::platform::Platform;
use crate::settings::{Environment, Loaded, ReadError, read, refuse_beyond_loopback};
use crate::start_error::StartError;
use crate::watch::Watch;

/// Editors write a file in several steps; this is how long they are given.
const SETTLE: Duration = Duration::from_millis(200);
/// How often the files are read when nobody said that they changed.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Watches the files of the settings until the program ends.
pub(crate) struct Reload {
    platform: Arc<Platform>,
    config: PathBuf,
    environment: Arc<Environment>,
    /// What the running server was built from and cannot change without a start.
    fixed: String,
    /// Whether others than this machine reach the running server, whatever the files say by now.
    runs_beyond: bool,
    /// What was last applied, or refused: neither is tried again until the files change.
    seen: String,
    /// The generation that these files were when they were last taken over; none if the store had later ones.
    held: Option<u64>,
}

impl Reload {
    pub(crate) fn new(
        platform: Arc<Platform>,
        config: &Path,
        environment: Environment,
        loaded: &Loaded,
    ) -> Self {
        Self {
            platform,
            config: config.to_owned(),
            environment: Arc::new(environment),
            fixed: fixed(loaded),
            runs_beyond: loaded.listens_beyond_loopback(),
            seen: loaded.content_hash.clone(),
            held: None,
        }
    }

    /// Remembers which generation the files are, and tells the log what became of them.
    pub(crate) async fn took(&mut self, outcome: &Outcome) -> Result<(), StartError> {
        self.held = match outcome {
            Outcome::Applied { generation, .. } => Some(*generation),
            Outcome::Unchanged => self.latest().await?,
            Outcome::OlderGeneration => None,
            Outcome::TooManyRetired { .. } => self.held,
        };
        say(outcome);
        Ok(())
    }

    /// Takes over changes of these files, and on each hangup, until the program ends.
    pub(crate) async fn run(mut self, watched: Vec<PathBuf>, mut hangup: Signal) {
        let (events, mut changed) = mpsc::channel(1);
        let mut watch = Watch::new(events);
        watch.add(&watched);
        // Nobody tells of what changed between the first reading and now.
        if let Some(watched) = self.look(false).await {
            watch.add(&watched);
        }
        let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                Some(()) = changed.recv() => { sleep(SETTLE).await; let _ = changed.try_recv(); false }
                _ = hangup.recv() => true,
                _ = looks.tick() => false,
            };
            if let Some(watched) = self.look(asked).await {
                watch.add(&watched);
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
        if let Err(error) = refuse_beyond_loopback(&loaded, self.runs_beyond) {
            self.refused(asked, &error);
            return None;
        }
        self.seen.clone_from(&loaded.content_hash);
        if fixed(&loaded) != self.fixed {
            tracing::warn!(
                "server, storage, cache, keys, limits and protected_resource take effect at the next start"
            );
        }
        let watched = loaded.watched.clone();
        if let Err(error) = self.take_over(loaded).await {
            tracing::error!(%error, "settings not applied; the last good ones go on");
        }
        Some(watched)
    }

    /// Files that were at the latest generation and now hold an older one again have been put back on purpose. Files that
    /// lagged behind say nothing new.
    async fn take_over(&mut self, mut loaded: Loaded) -> Result<(), StartError> {
        let admins = Admins::take(&mut loaded).hashed().await?;
        let outcome = self.apply(loaded).await;
        // Who may no longer sign in must not wait for a store that is down.
        if !matches!(outcome, Ok(Outcome::TooManyRetired { .. })) {
            self.platform.services.users.replace(admins);
        }
        self.took(&outcome?).await
    }

    async fn apply(&self, loaded: Loaded) -> Result<Outcome, StartError> {
        let force = self.held.is_some() && self.held == self.latest().await?;
        apply(&self.platform, loaded, Asked { force, ..Asked::default() }).await
    }

    async fn latest(&self) -> Result<Option<u64>, StartError> {
        Ok(self.platform.database.administration().latest_generation().await?.map(|latest| latest.number))
    }

    fn refused(&mut self, asked: bool, error: &ReadError) {
        let text = error.to_string();
        if asked || self.seen != text {
            tracing::error!(error = text, "settings not taken over; the last good ones go on");
            self.seen = text;
        }
    }
}

fn fixed(loaded: &Loaded) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        loaded.server,
        loaded.storage,
        loaded.l1_lifetime,
        loaded.sealing_keys,
        loaded.limits,
        loaded.protected_resource
    )
}
