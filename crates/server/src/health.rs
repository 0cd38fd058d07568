//! The health of the store, the keys and the caches. The store is checked once a second, and probes get the
//! last result. So probes cost nothing, and strangers may send any number of them.

mod metrics;
mod probes;

use std::sync::Arc;
use std::time::Duration;

use accounts::SignIns;
use cache::{Caches, RedisCache};
use gateway::{HealthCheck, HealthReport, HealthState, Sample, take_unserved};
use keys::{KeyPool, KeyRingCache, KeySealer};
use parking_lot::Mutex;
use secrets::{DigestKeys, HashPool};
use settings::SecretStores;
use storage::Database;
use tokio::time::{Instant, timeout};
use values::causes;

use crate::audit_export::ExportedAudit;
use crate::jwks_fetcher::GuardedJwksFetcher;
use crate::left_out::LeftOut;
use crate::lost_changes::LossReport;
use crate::periodic::{is_store_missed, rounds};
use crate::rotation::Rotated;
use crate::sealing::{UnsealedKeys, is_outage, open_pepper, sealed_pepper};
use crate::secret_rotations::RotationResults;
use crate::{clock, database};
use probes::{Opens, ProbeResults, StoreAccess};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The timeout of a check of the store.
const PATIENCE: Duration = Duration::from_secs(1);
/// A value that was unsealed once can normally be unsealed again, unless the key is removed. It is checked
/// only this often, because key services charge for every call.
const TRY_AGAIN: Duration = Duration::from_secs(60);
/// A cause that did not occur for this time is logged again.
const QUIET: Duration = Duration::from_mins(1);

/// Answers the gateway's questions about the health and the metrics of the rest of the program.
pub(crate) struct PlatformHealth {
    pub(crate) database: Arc<Database>,
    pub(crate) sealer: Arc<dyn KeySealer>,
    pub(crate) digest_keys: DigestKeys,
    pub(crate) tenant_keys: UnsealedKeys,
    pub(crate) caches: Caches,
    pub(crate) redis: Option<Arc<RedisCache>>,
    pub(crate) pool: KeyPool,
    pub(crate) hashes: Arc<HashPool>,
    pub(crate) sign_ins: Arc<SignIns>,
    pub(crate) keys: Arc<KeyRingCache>,
    pub(crate) jwks_fetcher: Arc<GuardedJwksFetcher>,
    pub(crate) rotated: Arc<Rotated>,
    pub(crate) rotated_secrets: Arc<RotationResults>,
    pub(crate) exported_audit: Arc<ExportedAudit>,
    pub(crate) losses: Arc<LossReport>,
    pub(crate) left_out: LeftOut,
    pub(crate) secret_stores: Arc<SecretStores>,
    pub(crate) found: Mutex<ProbeResults>,
}

/// The value that was last unsealed, and when.
struct Opened {
    sealed: Vec<u8>,
    at: Instant,
}

impl PlatformHealth {
    /// Checks once a second, until the program ends.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut looks = rounds(LOOK_EVERY);
        let (mut opened, mut read, mut unserved) = (None, true, None);
        loop {
            looks.tick().await;
            let (opens, access, why) = self.look(&mut opened).await;
            if opens.is_none() || access != StoreAccess::Full {
                let database = Arc::clone(&self.database);
                tokio::spawn(async move { database.follow().await });
            }
            if opens == Some(Opens::Yes) {
                let keys = self.tenant_keys.read(&*self.database, &*self.sealer, &self.digest_keys).await;
                match keys {
                    Ok(()) => read = true,
                    // The health check itself logs outages of the store.
                    Err(error) if is_store_missed(&*error) => {}
                    Err(error) => {
                        if read {
                            tracing::error!(
                                "cannot read the key of a tenant that was imported from another installation: {error:#}"
                            );
                        }
                        read = false;
                    }
                }
            }
            // Only cached rows matter, and how long their tenant allows stale rows. It does not matter
            // whether the tenant is declared or was created through the API.
            let serves_stale = opens.is_none() && self.caches.may_serve_stale();
            let clocks = self.database.store_clock().filter(|_| opens.is_some()).zip(Some(clock::now()));
            let mut found = self.found.lock();
            let after = found.after(opens, serves_stale).with_access(access).with_clocks(clocks);
            if after.clock_differs() && !found.clock_differs() {
                tracing::warn!(
                    "the clocks of this machine and of the store differ by more than 2 s, so revoked tokens may stay valid for that long"
                );
            }
            match (found.access == StoreAccess::ReadOnly, after.access == StoreAccess::ReadOnly) {
                (false, true) => tracing::error!(
                    "the store is read-only: it is a standby, was set to read-only, or has no free disk space"
                ),
                (true, false) if after.opens == Opens::Yes && !after.is_store_missed() => {
                    tracing::info!("the store accepts writes again");
                }
                _ => {}
            }
            // These two lines log an outage. The parts that need the store do not log it again.
            match (found.is_store_missed(), after.is_store_missed()) {
                (false, true) => {
                    let what = after.what_is_missed();
                    tracing::warn!("{what}; still serving cached data: {why}");
                }
                (true, false) => tracing::info!("the store responds again"),
                (false, false) | (true, true) => {}
            }
            // The check may miss an error, for example of a single table. Requests that met the error report
            // it here.
            if let Some(cause) = take_unserved() {
                let is_told = |(told, at): &(String, Instant)| *told == cause && at.elapsed() < QUIET;
                let is_outage = found.is_store_missed() || after.is_store_missed();
                if !is_outage && !unserved.as_ref().is_some_and(is_told) {
                    tracing::warn!(cause, "requests currently fail");
                }
                unserved = Some((cause, Instant::now()));
            }
            match after.opens {
                opens if opens == found.opens => {}
                Opens::Yes => tracing::info!("sealed values in the store can be opened again"),
                Opens::NotNow => tracing::error!("the service with the sealing key fails: {why}"),
                Opens::No => tracing::error!(
                    "sealed values in the store can no longer be opened with keys.sealing_key: {why}"
                ),
            }
            *found = after;
        }
    }

    /// Returns whether the sealed values can be unsealed, with the reason if they cannot. `None` if the store
    /// does not answer. Reads and unseals the pepper, which is sealed like every private key, so this checks
    /// both the store and the sealing key.
    async fn look(&self, opened: &mut Option<Opened>) -> (Option<Opens>, StoreAccess, String) {
        let (opens, why) = self.look_at_sealed(opened).await;
        if opens.is_none() {
            return (None, StoreAccess::Full, why);
        }
        match timeout(PATIENCE, self.database.takes_writes()).await {
            Ok(Ok(true)) => (opens, StoreAccess::Full, why),
            Ok(Ok(false)) => (opens, StoreAccess::ReadOnly, why),
            Ok(Err(error)) => (None, StoreAccess::NoConnection, causes(&error)),
            Err(_) => (None, StoreAccess::NoConnection, format!("no connection in {} s", PATIENCE.as_secs())),
        }
    }

    async fn look_at_sealed(&self, opened: &mut Option<Opened>) -> (Option<Opens>, String) {
        let sealed = match timeout(PATIENCE, sealed_pepper(&*self.database)).await {
            Ok(Ok(Some(sealed))) => sealed,
            Ok(Ok(None)) => return (Some(Opens::No), "the pepper is missing".to_owned()),
            Ok(Err(error)) => return (None, causes(&error)),
            Err(_) => return (None, format!("no response in {} s", PATIENCE.as_secs())),
        };
        let lately = |opened: &Opened| opened.sealed == sealed && opened.at.elapsed() < TRY_AGAIN;
        let is_waited_for = self.keys.unopened(clock::now()).is_some_and(|unopened| unopened.waiting);
        if opened.as_ref().is_some_and(lately) && !is_waited_for {
            return (Some(Opens::Yes), String::new());
        }
        *opened = None;
        match timeout(PATIENCE, open_pepper(&*self.sealer, &sealed)).await {
            Ok(Ok(_)) => {
                *opened = Some(Opened { sealed, at: Instant::now() });
                (Some(Opens::Yes), String::new())
            }
            // Tenants whose keys are already loaded are still served, on every replica.
            Ok(Err(error)) => {
                let is_outage = error.downcast_ref().is_some_and(is_outage);
                (Some(if is_outage { Opens::NotNow } else { Opens::No }), causes(&*error))
            }
            Err(_) => (Some(Opens::NotNow), format!("no response within {} s", PATIENCE.as_secs())),
        }
    }

    /// The number of recently requested tenants whose keys cannot be unsealed. The log has the reasons.
    fn unopened(&self) -> usize {
        self.keys.unopened(clock::now()).map_or(0, |unopened| unopened.tenants)
    }

    fn found(&self) -> ProbeResults {
        *self.found.lock()
    }
}

impl HealthReport for PlatformHealth {
    fn checks(&self) -> Vec<HealthCheck> {
        let found = self.found();
        let mut checks = vec![
            HealthCheck { part: "store", state: found.store() },
            HealthCheck { part: "keys", state: found.keys(self.unopened()) },
        ];
        if let Some(redis) = &self.redis {
            let state = match (redis.is_up(), redis.is_deaf()) {
                (false, _) => HealthState::Degraded(
                    format!("{}; Latchkey reads from the store instead", redis.trouble()).into(),
                ),
                (true, true) => HealthState::Degraded(
                    "Redis refuses the subscription, so changes of other replicas take effect only after cache.l1_lifetime"
                        .into(),
                ),
                (true, false) => HealthState::Good,
            };
            checks.push(HealthCheck { part: "redis", state });
        }
        checks.extend(found.clock());
        checks.extend(probes::settings(self.left_out.count()));
        checks.extend(probes::secret_stores(&self.secret_stores.failing()));
        checks
    }

    fn samples(&self) -> Vec<Sample> {
        let mut samples = metrics::of_caches(&self.caches);
        let is_up = u64::from(!self.found().is_store_missed());
        let up_help = "Whether the store responded to the last check (1) or not (0).";
        samples.push(Sample::gauge("latchkey_store_up", up_help, &[], is_up));
        samples.extend(database::samples(&self.database));
        samples.extend(self.redis.as_deref().into_iter().flat_map(metrics::of_redis));
        let throttled_help = "Accounts that refuse unknown browsers after too many wrong passwords.";
        let throttled = self.sign_ins.accounts_throttled(clock::now()) as u64;
        samples.push(Sample::gauge("latchkey_accounts_throttled", throttled_help, &[], throttled));
        let hashes_help = "Computed hashes of passwords and chosen client secrets.";
        let hashes = self.hashes.hashes_computed();
        samples.push(Sample::counter("latchkey_password_hashes_total", hashes_help, &[], hashes));
        let ready = self.pool.ready() as u64;
        samples.push(Sample::gauge(
            "latchkey_rsa_keys_ready",
            "RSA keys generated in advance for new tenants.",
            &[],
            ready,
        ));
        let unopened_help = "Tenants with requests in the last minute whose signing keys cannot be opened.";
        let unopened = self.unopened() as u64;
        samples.push(Sample::gauge("latchkey_tenants_with_unopened_keys", unopened_help, &[], unopened));
        samples.extend(self.jwks_fetcher.samples());
        samples.extend(self.rotated.samples());
        samples.extend(self.rotated_secrets.samples());
        samples.extend(self.exported_audit.samples(clock::now()));
        samples.extend(self.losses.samples());
        let left_out_help =
            "Declared tenants that are left out because of a conflict or an unreadable secret.";
        let left_out = self.left_out.count() as u64;
        samples.push(Sample::gauge("latchkey_tenants_left_out", left_out_help, &[], left_out));
        let failing_help = "Secret stores that fail to provide a secret that the settings refer to.";
        let failing = self.secret_stores.failing().len() as u64;
        samples.push(Sample::gauge("latchkey_secret_stores_failing", failing_help, &[], failing));
        let info_help = "Always 1; the label is the running version.";
        let version = &[("version", env!("CARGO_PKG_VERSION"))];
        samples.push(Sample::gauge("latchkey_build_info", info_help, version, 1));
        samples
    }
}
