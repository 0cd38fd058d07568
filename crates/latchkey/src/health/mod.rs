//! Health of the store, the keys and the caches. The store is checked once a second, and probes get the last result. So a probe costs
//! nothing, and strangers may send any number of them.

mod metrics;
mod probes;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use administration::AdministrationStore;
use cache::{Caches, RedisCache};
use gateway::{Check, HealthReport, Sample, State};
use keys::{KeyPool, KeyRingCache, KeySealer};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::clock;
use crate::left_out::LeftOut;
use crate::rotation::Rotated;
use crate::sealing::{SealingError, open_pepper, sealed_pepper};
use metrics::Labels;
pub(crate) use metrics::{counter, gauge};
use probes::{Found, Look, Opens};
use protocol::causes;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The timeout of a check of the store.
const PATIENCE: Duration = Duration::from_secs(1);
/// A sealed value that was unsealed once stays readable unless the key is taken away. It is checked again only this often, because a
/// service charges for every call.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// Reads the metrics of a kind of store: its pool, its statements.
pub(crate) type StoreSamples = Box<dyn Fn() -> Vec<Sample> + Send + Sync>;

/// Answers the gateway's requests for health and metrics of the rest of the program.
pub(crate) struct PlatformHealth {
    store: Arc<dyn AdministrationStore>,
    sealer: Arc<dyn KeySealer>,
    caches: Caches,
    redis: Option<Arc<RedisCache>>,
    pool: KeyPool,
    keys: Arc<KeyRingCache>,
    rotated: Arc<Rotated>,
    left_out: Arc<LeftOut>,
    store_samples: StoreSamples,
    found: Mutex<Found>,
}

/// The sealed value that was last unsealed, and when.
struct Opened {
    sealed: Vec<u8>,
    at: Instant,
}

impl PlatformHealth {
    /// For a platform whose store has just answered and whose pepper was just unsealed.
    pub(crate) fn new(
        store: Arc<dyn AdministrationStore>,
        sealer: Arc<dyn KeySealer>,
        caches: Caches,
        redis: Option<Arc<RedisCache>>,
        (pool, keys): (KeyPool, Arc<KeyRingCache>),
        (rotated, left_out): (Arc<Rotated>, Arc<LeftOut>),
        store_samples: StoreSamples,
    ) -> Self {
        let found = Mutex::new(Found::START);
        Self { store, sealer, caches, redis, pool, keys, rotated, left_out, store_samples, found }
    }

    /// Checks once a second, until the program ends.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut opened = None;
        loop {
            looks.tick().await;
            let (look, why) = self.look(&mut opened).await;
            // Only what is cached counts, and how long its tenant lets it serve stale, whether the tenant is declared or was created
            // through the API.
            let serves_stale = look == Look::StoreMissed && self.caches.may_serve_stale();
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            let after = found.after(look, serves_stale);
            match after.opens {
                opens if opens == found.opens => {}
                Opens::Yes => tracing::info!("what is sealed in the store can be opened again"),
                Opens::NotNow => tracing::error!("the service that holds the sealing key fails: {why}"),
                Opens::No => tracing::error!(
                    "what is sealed in the store can no longer be opened with keys.sealing_key: {why}"
                ),
            }
            *found = after;
        }
    }

    /// The pepper is a row of its own, sealed like every private key, so reading and unsealing it checks both store and sealing key.
    async fn look(&self, opened: &mut Option<Opened>) -> (Look, String) {
        let sealed = match timeout(PATIENCE, sealed_pepper(&*self.store)).await {
            Ok(Ok(Some(sealed))) => sealed,
            Ok(Ok(None)) => return (Look::NotOpened, "the pepper is gone".to_owned()),
            Err(_) | Ok(Err(_)) => return (Look::StoreMissed, String::new()),
        };
        let lately = |opened: &Opened| opened.sealed == sealed && opened.at.elapsed() < TRY_AGAIN;
        let is_waited_for = self.keys.unopened(clock::now()).is_some_and(|unopened| unopened.waiting);
        if opened.as_ref().is_some_and(lately) && !is_waited_for {
            return (Look::Good, String::new());
        }
        *opened = None;
        match timeout(PATIENCE, open_pepper(&*self.sealer, &sealed)).await {
            Ok(Ok(_)) => {
                *opened = Some(Opened { sealed, at: Instant::now() });
                (Look::Good, String::new())
            }
            // Tenants whose keys are loaded are still served, on every replica.
            Ok(Err(error @ SealingError::Unusable(_))) => (Look::SealerMissed, causes(&error)),
            Ok(Err(error)) => (Look::NotOpened, causes(&error)),
            Err(_) => (Look::SealerMissed, format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    /// Number of recently requested tenants whose keys cannot be unsealed. The log has the reasons.
    fn unopened(&self) -> usize {
        self.keys.unopened(clock::now()).map_or(0, |unopened| unopened.tenants)
    }

    fn found(&self) -> Found {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HealthReport for PlatformHealth {
    fn checks(&self) -> Vec<Check> {
        let found = self.found();
        let mut checks = vec![
            Check { part: "store", state: found.store() },
            Check { part: "keys", state: found.keys(self.unopened()) },
        ];
        if let Some(redis) = &self.redis {
            let missed = || State::Degraded("Redis is done without; the store answers in its place".into());
            checks.push(Check { part: "redis", state: if redis.is_up() { State::Good } else { missed() } });
        }
        checks.extend(probes::settings(self.left_out.count()));
        checks
    }

    fn samples(&self) -> Vec<Sample> {
        let mut samples = metrics::of_caches(&self.caches);
        let is_up = u64::from(!self.found().is_store_missed());
        let up_help = "Whether the store answered when it was last tried (1) or not (0).";
        samples.push(gauge("latchkey_store_up", up_help, &[], is_up));
        samples.extend((self.store_samples)());
        samples.extend(self.redis.as_deref().into_iter().flat_map(metrics::of_redis));
        let ready = u64::try_from(self.pool.ready()).unwrap_or(u64::MAX);
        samples.push(gauge("latchkey_rsa_keys_ready", "RSA keys made ahead for new tenants.", &[], ready));
        let unopened = u64::try_from(self.unopened()).unwrap_or(u64::MAX);
        let unopened_help = "Tenants with requests in the last minute whose signing keys cannot be opened.";
        samples.push(gauge("latchkey_tenants_with_unopened_keys", unopened_help, &[], unopened));
        samples.extend(self.rotated.samples());
        let left_out = u64::try_from(self.left_out.count()).unwrap_or(u64::MAX);
        let left_out_help = "Tenants that the settings declare and leave out because of a conflict.";
        samples.push(gauge("latchkey_tenants_left_out", left_out_help, &[], left_out));
        let version: Labels = &[("version", env!("CARGO_PKG_VERSION"))];
        samples.push(gauge(
            "latchkey_build_info",
            "Always 1; the label says which version runs.",
            version,
            1,
        ));
        samples
    }
}
