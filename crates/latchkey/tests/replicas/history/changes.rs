//! Random changes through `administration`, as a door other than the settings makes them: planned against the store, committed in
//! one transaction, and then announced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use administration::{
    AdministrationStore as _, ContentHash, Declaration, DeclaredClient, DeclaredSecret, DeclaredTenant,
    Options, Outcome, Reconciler, Retirements,
};
use cache::{Caches, Capacity, Freshness, RedisCache, RedisOptions};
use keys::{EnvelopeSealer, KeySealer, LocalKeyEncryptionKey, SealingContext, SealingKey};
use protocol::{Secret, SigningAlgorithm, Timestamp};
use registry::{GeneratedSecret, Pepper};
use storage_postgres::PostgresDatabase;
use testkit::fixtures;
use zeroize::Zeroizing;

use super::random::Random;
use super::record::{Credential, Turn};
use crate::house::House;

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];
const CLIENTS: usize = 8;

/// What is declared at the moment, and the parts of the platform that make it so.
pub(super) struct Changes {
    reconciler: Reconciler,
    caches: Caches,
    random: Random,
    number: u64,
    closed: BTreeSet<&'static str>,
    /// Of each tenant's clients, the credentials that they have.
    clients: BTreeMap<(&'static str, String), Vec<usize>>,
    credentials: Arc<Mutex<Vec<Credential>>>,
}

impl Changes {
    pub(super) async fn on(house: &House, seed: u64, credentials: Arc<Mutex<Vec<Credential>>>) -> Self {
        let patient = storage_postgres::Options { patience: Duration::from_secs(10), ..Default::default() };
        let store = Arc::new(PostgresDatabase::open(&house.database.url(), patient).await.unwrap());
        let key = SealingKey::from_base64(&Secret::new(house.sealing_key.clone())).unwrap();
        let key = Arc::new(LocalKeyEncryptionKey::new(key));
        let sealer: Arc<dyn KeySealer> = Arc::new(EnvelopeSealer::new(key, Vec::new()));
        // The programs have made it.
        let sealed = store.find_sealed("pepper").await.unwrap().unwrap();
        let pepper = sealer.unseal(&SealingContext::Named("pepper"), &sealed).await.unwrap();
        let pepper = Arc::new(Pepper::from_bytes(Zeroizing::new(pepper.as_slice().try_into().unwrap())));
        let redis = RedisOptions::new(house.redis_url.as_deref().unwrap(), Arc::new(now)).unwrap();
        let redis = RedisCache::open(redis, &pepper);
        let (tenants, clients, keys) = (store.clone(), store.clone(), store.clone());
        Self {
            caches: Caches::with_redis(
                tenants,
                clients,
                keys,
                redis,
                Capacity::default(),
                Freshness::default(),
            ),
            reconciler: Reconciler::new(store, sealer, pepper),
            random: Random(seed),
            number: 0,
            closed: BTreeSet::new(),
            clients: BTreeMap::new(),
            credentials,
        }
    }

    /// Makes one change and waits until it is acknowledged.
    pub(super) async fn make(&mut self) {
        while !self.draw() {}
        self.number += 1;
        let turned = self.turn();
        assert!(!turned.is_empty(), "a change changes something");
        let declaration = self.declaration();
        let content = ContentHash::of([self.number.to_be_bytes().as_slice()]);
        let options = Options {
            max_retired: Retirements::default(),
            prune: true,
            force_generation: false,
            now: Timestamp::from_seconds(now().as_secs()),
        };
        let outcome = self.reconciler.apply(&declaration, &content, &options).await.unwrap();
        let acknowledged = Instant::now();
        let Outcome::Applied { invalidations, .. } = outcome else { panic!("{outcome:?}") };
        {
            let mut credentials = self.credentials.lock().unwrap();
            for number in turned {
                credentials[number].turns.last_mut().unwrap().acknowledged = Some(acknowledged);
            }
        }
        self.caches.announce(&invalidations).await;
    }

    /// Changes what is declared; not everything that is drawn can be done.
    fn draw(&mut self) -> bool {
        let tenant = *self.random.one_of(&TENANTS).unwrap();
        if self.random.below(100) < 4 {
            // A tenant without clients may come and go, but nobody would notice.
            let is_noticed = self.clients.keys().any(|(owner, _)| *owner == tenant);
            if is_noticed && !self.closed.remove(tenant) {
                self.closed.insert(tenant);
            }
            return is_noticed;
        }
        let client = (tenant, format!("c-{}", self.random.below(CLIENTS)));
        if self.closed.contains(tenant) {
            return false;
        }
        let Some(mut held) = self.clients.get(&client).cloned() else {
            // New, or declared again, with a secret of its own or one that it had.
            let secret = self.former(&client).unwrap_or_else(|| self.credential(&client));
            self.clients.insert(client, vec![secret]);
            return true;
        };
        match self.random.below(4) {
            0 => drop(self.clients.remove(&client)),
            1 if held.len() < 3 => {
                let further = self.former(&client).unwrap_or_else(|| self.credential(&client));
                held.push(further);
                self.clients.insert(client, held);
            }
            2 if held.len() > 1 => {
                held.remove(self.random.below(held.len()));
                self.clients.insert(client, held);
            }
            _ => {
                let new = self.credential(&client);
                self.clients.insert(client, vec![new]);
            }
        }
        true
    }

    /// Now and then a secret that the client had before.
    fn former(&mut self, client: &(&'static str, String)) -> Option<usize> {
        if self.random.below(3) > 0 {
            return None;
        }
        let credentials = self.credentials.lock().unwrap();
        let is_former = |credential: &Credential| {
            credential.tenant == client.0 && credential.client == client.1 && !credential.is_live()
        };
        let all = credentials.iter().enumerate().filter(|(_, credential)| is_former(credential));
        let all: Vec<usize> = all.map(|(number, _)| number).collect();
        self.random.one_of(&all).copied()
    }

    fn credential(&mut self, (tenant, client): &(&'static str, String)) -> usize {
        let secret = GeneratedSecret::generate().secret.expose().to_owned();
        let mut credentials = self.credentials.lock().unwrap();
        credentials.push(Credential { tenant, client: client.clone(), secret, turns: Vec::new() });
        credentials.len() - 1
    }

    /// Notes which credentials are about to become live or revoked.
    fn turn(&self) -> Vec<usize> {
        let declared = self.clients.iter().filter(|((tenant, _), _)| !self.closed.contains(tenant));
        let live: BTreeSet<usize> = declared.flat_map(|(_, held)| held).copied().collect();
        let (mut turned, begun) = (Vec::new(), Instant::now());
        for (number, credential) in self.credentials.lock().unwrap().iter_mut().enumerate() {
            if credential.is_live() != live.contains(&number) {
                let live = live.contains(&number);
                credential.turns.push(Turn { live, begun, acknowledged: None });
                turned.push(number);
            }
        }
        turned
    }

    fn declaration(&self) -> Declaration {
        let credentials = self.credentials.lock().unwrap();
        let mut declaration = Declaration::default();
        for id in TENANTS.into_iter().filter(|id| !self.closed.contains(id)) {
            let mut tenant = fixtures::tenant(id);
            tenant.signing.algorithm = SigningAlgorithm::ES256;
            let of_tenant = self.clients.iter().filter(|((owner, _), _)| *owner == id);
            let clients = of_tenant.map(|((_, client), held)| DeclaredClient {
                client: fixtures::client(&tenant, client),
                secrets: held
                    .iter()
                    .map(|number| DeclaredSecret::Value {
                        secret: Secret::new(credentials[*number].secret.clone()),
                        expires_at: None,
                    })
                    .collect(),
            });
            let clients = clients.collect();
            declaration
                .tenants
                .insert(tenant.id.clone(), DeclaredTenant { tenant, clients, first_key: None });
        }
        declaration
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no other clock to hand to the cache")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
