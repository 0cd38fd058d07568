//! Random changes through `administration`. Changes of the settings are planned against the store, committed
//! in one transaction and then published. Other changes suspend and resume clients as the API does.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use administration::{
    Actor, Administrator, Along, Authority, Caller, ClientStep, ContentHash, EditPolicy, Invalidation,
    Outcome, ReconcileOptions, Reconciler, Retirements, SealedItems as _,
};
use cache::{Caches, Capacity, Freshness, RedisCache, RedisOptions};
use keys::{EnvelopeSealer, KeyPool, KeySealer, SealingContext, SealingKey};
use secrets::Pepper;
use testkit::fixtures;
use values::{Lifetime, Secret, Timestamp};
use zeroize::Zeroizing;

use super::declared::{Client, Declared, Drawn};
use super::record::Credential;
use crate::test_env::TestEnv;

/// The desired state, and the parts of the platform that apply it.
pub(super) struct Changes {
    declared: Declared,
    reconciler: Reconciler,
    administrator: Administrator,
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
        let policy = EditPolicy {
            public_url: "http://localhost:3000".to_owned(),
            live_secrets: 10,
            api_keys: 10,
            clients: 10_000,
            deletion_grace: Lifetime::from_seconds(86_400),
            l1_lifetime: Lifetime::from_seconds(10),
            urls: administration::UrlRule::default(),
        };
        let announce = {
            let caches = caches.clone();
            Arc::new(move |changed: &[Invalidation]| caches.apply(changed))
        };
        let administrator = Administrator::new(
            store.clone(),
            Arc::clone(&sealer),
            Arc::clone(&pepper),
            KeyPool::new(0),
            policy,
            announce,
            Arc::new(timestamp),
        );
        Self {
            caches,
            administrator,
            reconciler: Reconciler::new(store, sealer, pepper),
            declared: Declared::nothing(seed, credentials),
            number: 0,
        }
    }

    pub(super) async fn make(&mut self) {
        let drawn = self.declared.draw();
        self.number += 1;
        let turned = self.declared.turn();
        assert!(!turned.is_empty(), "a change changes something");
        let announced = match &drawn {
            Drawn::Declared => self.apply().await,
            Drawn::Suspended(client) => self.suspend(client, true).await,
            Drawn::Resumed(client) => self.suspend(client, false).await,
        };
        self.declared.acknowledged(&turned, Instant::now());
        self.caches.publish_invalidation(&announced).await;
    }

    /// Returns the invalidations that must still be published.
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

    /// Returns no invalidations, because the administrator itself publishes them.
    async fn suspend(&self, (tenant, client): &Client, suspend: bool) -> Vec<Invalidation> {
        let by = Authority::operator(Actor { name: "cli:history".to_owned(), ..Actor::default() });
        let (tenant, client) = (fixtures::tenant_id(tenant), fixtures::client_id(client));
        let (cli, now) = (&self.administrator, timestamp());
        let step = if suspend { ClientStep::Suspend } else { ClientStep::Resume };
        cli.of(&Caller::new(by, now), &tenant).step::<registry::Client>(&client, step).await.unwrap();
        Vec::new()
    }
}

fn timestamp() -> Timestamp {
    Timestamp::from_seconds(now().as_secs())
}

#[expect(clippy::disallowed_methods, reason = "tests have no other clock to hand to the cache")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
