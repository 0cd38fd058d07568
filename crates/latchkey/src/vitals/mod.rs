//! How store, keys and caches are doing. The store is tried once a second, and probes are answered from what was found then: a
//! probe costs nothing, so strangers may send as many as they like.

mod found;
mod numbers;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use administration::AdministrationStore;
use cache::{Caches, Counts, RedisCache};
use gateway::{Check, Sample, State, Vitals};
use keys::{KeyPool, KeySealer};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::sealing::{SealingError, existing_pepper};
use found::{Found, Look};
use numbers::Labels;
pub(crate) use numbers::{counter, gauge};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A store that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads what a store of some kind tells of itself: its pool, its statements.
pub(crate) type StoreSamples = Box<dyn Fn() -> Vec<Sample> + Send + Sync>;

/// Answers what the gateway is asked about the rest of the program.
pub(crate) struct PlatformVitals {
    store: Arc<dyn AdministrationStore>,
    sealer: Arc<dyn KeySealer>,
    caches: Caches,
    redis: Option<Arc<RedisCache>>,
    pool: KeyPool,
    store_samples: StoreSamples,
    /// Seconds: the longest that any tenant's cached clients get tokens without the store.
    longest_stale: AtomicU64,
    found: Mutex<Found>,
}

impl PlatformVitals {
    /// Of a platform whose store has just answered and whose pepper has just been opened.
    pub(crate) fn new(
        store: Arc<dyn AdministrationStore>,
        sealer: Arc<dyn KeySealer>,
        caches: Caches,
        redis: Option<Arc<RedisCache>>,
        pool: KeyPool,
        store_samples: StoreSamples,
    ) -> Self {
        let found = Mutex::new(Found::START);
        let longest_stale = AtomicU64::new(0);
        Self { store, sealer, caches, redis, pool, store_samples, longest_stale, found }
    }

    /// For how long at most the caches may stand in for the store, as the tenants are declared now.
    pub(crate) fn set_longest_stale(&self, seconds: u64) {
        self.longest_stale.store(seconds, Ordering::Relaxed);
    }

    /// Looks once a second, until the program ends.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let look = self.look().await;
            let was_warm = self.is_warm();
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            let after = found.after(look, was_warm, Instant::now());
            if found.opens && !after.opens {
                tracing::error!("what is sealed in the store can no longer be opened with keys.sealing_key");
            }
            *found = after;
        }
    }

    /// The pepper is a row of its own, sealed as every private key is: reading and opening it tries both.
    async fn look(&self) -> Look {
        match timeout(PATIENCE, existing_pepper(&*self.store, &*self.sealer)).await {
            Ok(Ok(Some(_))) => Look::Good,
            Err(_) | Ok(Err(SealingError::Store(_))) => Look::StoreMissed,
            Ok(Ok(None) | Err(_)) => Look::NotOpened,
        }
    }

    fn is_warm(&self) -> bool {
        let Counts { loads, failures, .. } = self.caches.clients.counts();
        loads > failures
    }

    fn found(&self) -> Found {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vitals for PlatformVitals {
    fn checks(&self) -> Vec<Check> {
        let found = self.found();
        let longest_stale = Duration::from_secs(self.longest_stale.load(Ordering::Relaxed));
        let mut checks = vec![
            Check { part: "store", state: found.store(longest_stale, Instant::now()) },
            Check { part: "keys", state: found.keys() },
        ];
        if let Some(redis) = &self.redis {
            let missed = || State::Degraded("Redis is done without; the store answers in its place".into());
            checks.push(Check { part: "redis", state: if redis.is_up() { State::Good } else { missed() } });
        }
        checks
    }

    fn samples(&self) -> Vec<Sample> {
        let mut samples = numbers::of_caches(&self.caches);
        let is_up = u64::from(self.found().store_missed_since.is_none());
        let up_help = "Whether the store answered when it was last tried (1) or not (0).";
        samples.push(gauge("latchkey_store_up", up_help, &[], is_up));
        samples.extend((self.store_samples)());
        samples.extend(self.redis.as_deref().into_iter().flat_map(numbers::of_redis));
        let ready = u64::try_from(self.pool.ready()).unwrap_or(u64::MAX);
        samples.push(gauge("latchkey_rsa_keys_ready", "RSA keys made ahead for new tenants.", &[], ready));
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
