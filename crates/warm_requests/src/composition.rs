//! The gateway's options and services: a store behind the real caches, and a tenant with one client for each
//! signing algorithm.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use accounts::SignIns;
use administration::administrator::EditPolicy;
use cache::{Caches, Capacity, Freshness};
use gateway::{
    ConnectionLimits, HealthCheck, HealthReport, ListenerOptions, ListenerSurface, Options, Sample, Services,
    WriteBudget,
};
use keys::{KeyPool, KeyRingCache, KeySealer, SealingKey};
use protocol::SigningAlgorithm;
use registry::{ClientSecret, PublicUrls};
use secrets::{GeneratedSecret, HashPool, Pepper, SharedCounts, hash_token};
use testkit::{TestStore, fixtures};
use values::{Lifetime, Rate, Secret};

use crate::clock;

pub(crate) const CLIENT: &str = "svc";

/// Long enough that no row is read again while counting.
const FRESH: Duration = Duration::from_secs(3600);

const LIMIT: Rate = Rate::per_minute(10_000);

/// The arguments of [`gateway::serve_connection`], and the clients' secrets.
pub(crate) struct ServedTenants {
    pub(crate) options: Options,
    pub(crate) services: Services,
    secrets: Vec<(SigningAlgorithm, Secret)>,
}

/// The reports belong to the administrator's pages, which are not counted.
struct NoReport;

impl ServedTenants {
    pub(crate) fn new() -> Self {
        let (store, pepper) = (Arc::new(TestStore::new()), Arc::new(Pepper::generate()));
        let algorithms = [SigningAlgorithm::RS256, SigningAlgorithm::ES256, SigningAlgorithm::EdDSA];
        let secrets = algorithms.map(|algorithm| (algorithm, add_tenant(&store, &pepper, algorithm))).into();
        Self { options: options(), services: services(&store, &pepper), secrets }
    }

    pub(crate) fn secret(&self, algorithm: SigningAlgorithm) -> &Secret {
        self.secrets.iter().find(|(of, _)| *of == algorithm).map(|(_, secret)| secret).unwrap()
    }
}

/// All names have the same length, so that all requests do.
pub(crate) fn tenant(algorithm: SigningAlgorithm) -> String {
    format!("tenant-{}", &algorithm.as_str()[..2].to_ascii_lowercase())
}

fn add_tenant(store: &TestStore, pepper: &Pepper, algorithm: SigningAlgorithm) -> Secret {
    let mut tenant = fixtures::tenant(&self::tenant(algorithm));
    tenant.signing.algorithm = algorithm;
    let mut client = fixtures::client(&tenant, CLIENT);
    let secret = GeneratedSecret::generate().secret;
    let hash = hash_token(pepper, &tenant.id, &client.id, &secret);
    client.secrets.push(ClientSecret { hash, ..fixtures::secret("1") });
    store.put_tenant(tenant);
    store.put_client(client);
    secret
}

fn options() -> Options {
    Options {
        public_url: "http://localhost:3000".to_owned(),
        mtls_url: None,
        listeners: vec![ListenerOptions::new(([127, 0, 0, 1], 0).into(), ListenerSurface::new(true, true))],
        strict_transport: false,
        caught_mail: None,
        connections: ConnectionLimits::default(),
        default_tenant: None,
        protected_resource: None,
        language: gateway::Language::English,
        workers: 1,
    }
}

fn services(store: &Arc<TestStore>, pepper: &Arc<Pepper>) -> Services {
    let caches = Caches::new(store.clone(), None, Capacity::default(), Freshness::new(FRESH));
    let sealer: Arc<dyn KeySealer> = Arc::new(SealingKey::generate().unwrap());
    let keys = Arc::new(KeyRingCache::new(
        caches.signing_keys.clone(),
        Arc::clone(&sealer),
        KeyPool::new(0),
        1 << 20,
    ));
    let hashes = Arc::new(HashPool::start(NonZeroUsize::MIN).unwrap());
    let policy = EditPolicy {
        public_url: "http://localhost:3000".to_owned(),
        live_secrets: 5,
        api_keys: 10,
        clients: 10_000,
        deletion_grace: Lifetime::from_seconds(0),
        l1_lifetime: Lifetime::from_seconds(FRESH.as_secs()),
        urls: administration::rules::UrlRule::default(),
        mail: administration::mail::MailPolicy::default(),
    };
    let composition = gateway::Composition {
        store: store.clone(),
        rows: caches.rows(),
        identifiers: store.clone(),
        jwks_fetcher: store.clone(),
        keys,
        key_pool: KeyPool::new(0),
        sealer,
        pepper: Arc::clone(pepper),
        hashes: Arc::clone(&hashes),
        public_urls: PublicUrls::new(&policy.public_url, None),
        policy,
        default_tenant: None,
        failed_attempts: LIMIT,
        shared_counts: SharedCounts::default(),
        refusal_timer: None,
        share: None,
        secret_writer: Arc::new(administration::administrator::secret_writer::NoStores),
        refused_samples: &[],
        clock: Arc::new(clock::now),
    };
    let sign_ins = Arc::new(SignIns::new(store.clone(), pepper, hashes));
    let publish = Arc::new(move |changed: &[_]| caches.apply(changed));
    composition.services(sign_ins, WriteBudget::new(LIMIT, LIMIT), publish, Arc::new(NoReport))
}

impl HealthReport for NoReport {
    fn checks(&self) -> Vec<HealthCheck> {
        Vec::new()
    }

    fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}
