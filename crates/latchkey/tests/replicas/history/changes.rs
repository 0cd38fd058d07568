//! Random changes of the settings through `administration`: planned against the store, committed in one
//! transaction and then published.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use administration::declaration::fingerprint::ContentHash;
use administration::declaration::outcome::{Along, Outcome, ReconcileOptions};
use administration::declaration::plan::Retirements;
use administration::declaration::reconcile::Reconciler;
use administration::kinds::Invalidation;
use administration::store::SealedItems as _;
use cache::{Caches, Capacity, Freshness, RedisCache, RedisOptions};
use keys::{EnvelopeSealer, KeySealer, SealingContext, SealingKey};
use secrets::Pepper;
use values::{Secret, Timestamp};
use zeroize::Zeroizing;

use super::declared::Declared;
use super::record::Credential;
use crate::test_env::TestEnv;

/// The desired state, and the parts of the platform that apply it.
pub(super) struct Changes {
    declared: Declared,
    reconciler: Reconciler,
    caches: Caches,
    number: u64,
}

impl Changes {
    pub(super) async fn on(test_env: &TestEnv, seed: u64, credentials: Arc<Mutex<Vec<Credential>>>) -> Self {
        let patient =
            storage::postgres::PostgresOptions { patience: Duration::from_secs(10), ..Default::default() };
        let store = Arc::new(storage::postgres::open(&test_env.database.url(), patient).await.unwrap());
        let key = SealingKey::from_base64(&Secret::new(test_env.sealing_key.clone())).unwrap();
        let key = Arc::new(key);
        let sealer: Arc<dyn KeySealer> = Arc::new(EnvelopeSealer::new(key, Vec::new()));
        // The programs have created the pepper.
        let sealed = store.find_sealed("pepper").await.unwrap().unwrap();
        let pepper = sealer.unseal(&SealingContext::Named("pepper"), &sealed).await.unwrap();
        let pepper = Arc::new(Pepper::from_bytes(Zeroizing::new(pepper.as_slice().try_into().unwrap())));
        let redis = RedisOptions::new(test_env.redis_url.as_deref().unwrap(), Arc::new(now)).unwrap();
        let redis = RedisCache::open(redis, &pepper);
        let caches = Caches::new(store.clone(), Some(redis), Capacity::default(), Freshness::default());
        Self {
            caches,
            reconciler: Reconciler::new(store, sealer, pepper),
            declared: Declared::nothing(seed, credentials),
            number: 0,
        }
    }

    /// Makes one change and waits until it is acknowledged.
    pub(super) async fn make(&mut self) {
        self.declared.draw();
        self.number += 1;
        let turned = self.declared.turn();
        assert!(!turned.is_empty(), "a change changes something");
        let announced = self.apply().await;
        self.declared.acknowledged(&turned, Instant::now());
        self.caches.publish_invalidation(&announced).await;
    }

    /// Returns the invalidations that are still to be published.
    async fn apply(&self) -> Vec<Invalidation> {
        let declaration = self.declared.declaration();
        let content = ContentHash::from_parts([self.number.to_be_bytes().as_slice()]);
        let options = ReconcileOptions {
            max_retired: Retirements::default(),
            prune: true,
            force_generation: false,
            ends_previous: false,
            now: timestamp(),
        };
        let outcome = self.reconciler.apply(&declaration, &content, &options, Along::NONE).await.unwrap();
        let Outcome::Applied { invalidations, .. } = outcome else { panic!("{outcome:?}") };
        invalidations
    }
}

fn timestamp() -> Timestamp {
    Timestamp::from_seconds(now().as_secs())
}

#[expect(clippy::disallowed_methods, reason = "tests have no other clock to hand to the cache")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
