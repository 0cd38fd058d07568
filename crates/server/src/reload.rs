//! Reloads the configuration when a file changes and on SIGHUP. A configuration that cannot be read or
//! applied changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use administration::declaration::outcome::Outcome;
use administration::documents::FileSecret;
use administration::store::Generations as _;
use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::apply::{Applied, ApplyOptions, apply, say};
use crate::conflict_messages::TenantsLeftOut;
use crate::left_out::Tries;
use crate::log_lines::LogLines;
use crate::platform::Platform;
use crate::watch::Watch;
use settings::{
    Environment, Loaded, Passwords, PlatformSettings, ReadError, SealingKeySource, read,
    refuse_beyond_loopback,
};

/// The pause before settings that the store has not accepted are tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Watches the files of the settings until the program ends.
pub(crate) struct Reload {
    platform: Arc<Platform>,
    config: PathBuf,
    environment: Arc<Environment>,
    /// The settings of the running server that only a restart can change.
    fixed: String,
    /// Whether other machines can reach the running server, even if the files now say otherwise.
    runs_beyond: bool,
    /// The server's own secrets as they were last read.
    secrets: OwnKeys,
    /// The hash of the content that was last applied or refused. The same content is not tried again until
    /// the files change.
    seen: String,
    /// Why the files could not be applied, if so. They are tried again.
    failed: Option<String>,
    /// The generation of these files when they were last applied. `None` if the store had a later one.
    held: Option<u64>,
    /// When to try tenants with a conflict again.
    tries: Tries,
    /// The last log message about conflicts.
    logged_left_out: String,
    /// The last log message about secret stores.
    logged_failures: String,
}

/// The server's own secrets that may change in a secret store.
#[derive(PartialEq, Eq)]
struct OwnKeys {
    passwords: Passwords,
    sealing_key: Option<FileSecret>,
}

impl OwnKeys {
    fn from_settings(settings: &PlatformSettings) -> Self {
        let sealing_key = match &settings.sealing_keys.writing {
            SealingKeySource::Text(key) => Some(key.clone()),
            SealingKeySource::File(_) | SealingKeySource::Vault { .. } | SealingKeySource::AwsKms(_) => None,
        };
        Self { passwords: settings.passwords.clone(), sealing_key }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The files may have changed.
    Changed,
    Requested,
    /// Tenants with a conflict are tried again.
    Again,
}

impl Reload {
    pub(crate) fn new(
        platform: Arc<Platform>,
        config: &Path,
        environment: Environment,
        loaded: &Loaded,
    ) -> Self {
        Self {
            tries: platform.health.left_out.tries(),
            logged_left_out: String::new(),
            logged_failures: String::new(),
            platform,
            config: config.to_owned(),
            environment: Arc::new(environment),
            fixed: fixed(loaded),
            runs_beyond: loaded.is_beyond_loopback(),
            secrets: OwnKeys::from_settings(&loaded.platform),
            seen: loaded.content_hash.clone(),
            failed: None,
            held: None,
        }
    }

    /// Records the generation of the files, and logs the outcome.
    pub(crate) async fn took(&mut self, applied: &Applied) -> anyhow::Result<()> {
        say(&applied.outcome);
        self.held = match &applied.outcome {
            // Nothing was applied, so the same tenants still have a conflict.
            Outcome::TooManyRetired { .. } => return Ok(()),
            Outcome::Applied { generation, .. } => Some(*generation),
            Outcome::Unchanged | Outcome::StillLeftOut { .. } => self.latest().await?,
            Outcome::OlderGeneration => None,
        };
        self.leave_out(applied.left_out.as_ref());
        Ok(())
    }

    /// Logs the tenants with a conflict once, not at each attempt.
    fn leave_out(&mut self, left_out: Option<&TenantsLeftOut>) {
        let text = left_out.map(ToString::to_string).unwrap_or_default();
        if let Some(left_out) = left_out.filter(|_| text != self.logged_left_out) {
            let tenants = left_out.names();
            tracing::warn!(tenants, error = %LogLines(&text), "tenants left out; all other tenants are applied");
        } else if left_out.is_none() && self.platform.health.left_out.count() > 0 {
            tracing::info!("no tenant is left out any longer");
        }
        self.logged_left_out = text;
        let (count, depends_on) =
            left_out.map(|left| (left.tenants.len(), left.depends_on.clone())).unwrap_or_default();
        self.platform.health.left_out.replace(count, depends_on);
    }

    /// Applies changes of these files, and reloads on each SIGHUP, until the program ends.
    pub(crate) async fn run(mut self, watched: Vec<PathBuf>, mut hangup: Signal) {
        let mut watch = Watch::new(&watched);
        // There is no notification for changes between the first reading and now.
        if let Some(watched) = self.look(Why::Changed).await {
            watch.add(&watched);
        }
        let environment = Arc::clone(&self.environment);
        loop {
            let why = tokio::select! {
                () = watch.changed() => Why::Changed,
                () = environment.secret_stores().due() => Why::Changed,
                _ = hangup.recv() => Why::Requested,
                () = sleep(AGAIN), if self.failed.is_some() => Why::Changed,
                () = self.tries.due(), if self.platform.health.left_out.count() > 0 => Why::Again,
            };
            let began = Instant::now();
            if let Some(watched) = self.look(why).await {
                watch.add(&watched);
            }
            environment.secret_stores().put_off(began);
        }
    }

    /// Reads everything. Logs more after a request, because an operator waits for the result.
    async fn look(&mut self, why: Why) -> Option<Vec<PathBuf>> {
        let requested = why == Why::Requested;
        if requested {
            self.environment.secret_stores().expire();
        }
        if why != Why::Changed {
            self.tries.begin();
        }
        let (config, environment) = (self.config.clone(), Arc::clone(&self.environment));
        let loaded = match spawn_blocking(move || read(&config, &environment)).await.ok()? {
            Ok(loaded) => loaded,
            Err(error) => {
                self.refused(requested, &error);
                return None;
            }
        };
        self.log_secret_stores();
        self.take_server_secrets(&loaded.platform);
        if !requested && loaded.content_hash == self.seen {
            if why == Why::Again {
                self.try_again(loaded).await;
            }
            return None;
        }
        if requested {
            self.logged_left_out.clear();
        }
        if let Err(error) = refuse_beyond_loopback(&loaded, self.runs_beyond) {
            self.refused(requested, &error);
            return None;
        }
        self.seen.clone_from(&loaded.content_hash);
        if fixed(&loaded) != self.fixed {
            tracing::warn!(
                "changes of server, storage, cache, keys, limits and protected_resource take effect after a restart"
            );
        }
        let watched = loaded.watched.clone();
        let failed = self.take_over(loaded).await.err().map(|error| error.to_string());
        if let Some(error) = failed.as_ref().filter(|_| failed != self.failed) {
            tracing::error!(%error, "settings not applied; the previous settings stay in effect, and the server will try again");
        }
        if failed.is_some() {
            self.seen.clear();
        }
        self.failed = failed;
        Some(watched)
    }

    /// Uses the current passwords of PostgreSQL and Redis from secret stores, and logs a changed sealing key.
    fn take_server_secrets(&mut self, settings: &PlatformSettings) {
        let secrets = OwnKeys::from_settings(settings);
        if secrets == self.secrets {
            return;
        }
        let (before, now) = (&self.secrets.passwords, &secrets.passwords);
        if let Some(password) = now.storage.as_ref().filter(|now| before.storage.as_ref() != Some(now)) {
            self.platform.database.use_password(password.expose());
            tracing::info!("the secret store has a new password for storage; new connections use it");
        }
        if let Some(password) = now.redis.as_ref().filter(|now| before.redis.as_ref() != Some(now)) {
            if let Some(redis) = &self.platform.health.redis {
                redis.use_password(password.expose());
            }
            tracing::info!("the secret store has a new password for cache; new connections use it");
        }
        let sealing_keys = self.secrets.sealing_key.as_ref().zip(secrets.sealing_key.as_ref());
        if sealing_keys.is_some_and(|(before, now)| before != now) {
            tracing::warn!(
                "the secret store has a new sealing key. This server continues with its current key. The next start will \
                     refuse the new key until `latchkey key reseal` has resealed all rows with it. Restore the previous key, or \
                     add it to keys.former_sealing_keys"
            );
        }
        self.secrets = secrets;
    }

    /// Logs once which secrets could not be read from secret stores.
    fn log_secret_stores(&mut self) {
        let failures = self.environment.secret_stores().failures().join("\n");
        if failures != self.logged_failures {
            match failures.is_empty() {
                true => tracing::info!("the secret stores provide all secrets again"),
                false => tracing::warn!(
                    error = %LogLines(&failures),
                    "cannot read secrets from secret stores; the applied settings stay in effect"
                ),
            }
            self.logged_failures = failures;
        }
    }

    /// Tries again after a change in the store. The files have not changed.
    async fn try_again(&mut self, loaded: Loaded) {
        let tried = match self.apply(loaded).await {
            Ok(applied) => self.took(&applied).await,
            Err(error) => Err(error),
        };
        if let Err(error) = tried {
            tracing::error!(%error, "cannot retry the tenants that were left out");
        }
    }

    /// If files that had the latest generation now contain an earlier one, somebody reverted them on purpose,
    /// and the earlier one is applied. Files that are only out of date are not applied.
    async fn take_over(&mut self, mut loaded: Loaded) -> anyhow::Result<()> {
        let admins = std::mem::take(&mut loaded.admins).hashed().await?;
        self.tries.begin();
        let applied = self.apply(loaded).await;
        // A removed administrator must not remain valid because the store is unavailable.
        let refused = |applied: &Applied| matches!(applied.outcome, Outcome::TooManyRetired { .. });
        if !applied.as_ref().is_ok_and(refused) {
            self.platform.services.users.replace(admins);
        }
        self.took(&applied?).await
    }

    async fn apply(&self, loaded: Loaded) -> anyhow::Result<Applied> {
        let force = self.held.is_some() && self.held == self.latest().await?;
        apply(&self.platform, loaded, ApplyOptions { force, ..ApplyOptions::default() }, &|_| {}).await
    }

    async fn latest(&self) -> anyhow::Result<Option<u64>> {
        Ok(self.platform.database.latest_generation().await?.map(|latest| latest.number))
    }

    fn refused(&mut self, requested: bool, error: &ReadError) {
        let text = error.to_string();
        if requested || self.seen != text {
            tracing::error!(error = %LogLines(&text), "settings not loaded; the previous settings stay in effect");
            self.seen = text;
        }
    }
}

fn fixed(loaded: &Loaded) -> String {
    let Loaded { platform, protected_resource, .. } = loaded;
    let PlatformSettings {
        server,
        storage,
        connections,
        redis_url: _,
        passwords: _,
        l1_lifetime,
        cache_memory,
        sealing_keys,
        limits,
        mail,
        declared: _,
        secret_stores: _,
    } = platform;
    format!(
        "{server:?} {storage:?} {connections:?} {l1_lifetime:?} {cache_memory:?} {sealing_keys:?} {limits:?} {mail:?} {protected_resource:?}"
    )
}
