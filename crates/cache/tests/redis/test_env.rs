//! An installation: a store with two tenants that have a client with the same name, a Redis, and any number
//! of replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use administration::kinds::Invalidation;
use cache::{Caches, Capacity, Freshness, RedisCache, RedisOptions, RedisTiming};
use keys::SigningKeyStore as _;
use registry::{Client, ClientStore as _};
use secrets::Pepper;
use tenancy::{Tenant, TenantStore as _};
use testkit::{TestStore, fixtures, server_variable};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::server;

/// Longer than any wait on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) struct TestEnv {
    pub(crate) store: Arc<TestStore>,
    pub(crate) acme: Tenant,
    pub(crate) globex: Tenant,
    pub(crate) prefix: String,
    url: String,
}

pub(crate) struct Replica {
    pub(crate) caches: Caches,
    pub(crate) redis: Arc<RedisCache>,
}

/// How a replica differs from the others.
pub(crate) struct Traits {
    pub(crate) pepper: u8,
    /// How far the replica's clock is ahead.
    pub(crate) ahead: Duration,
    pub(crate) timing: RedisTiming,
    pub(crate) freshness: Freshness,
}

impl Default for Traits {
    /// Long timeouts, because the tests count commands, and a busy machine must not look like an unreachable
    /// Redis.
    fn default() -> Self {
        let timing = RedisTiming { connect: SOON, response: SOON, ..RedisTiming::default() };
        Self { pepper: 1, ahead: Duration::ZERO, timing, freshness: Freshness::default() }
    }
}

impl Traits {
    /// The timeouts of production.
    pub(crate) fn quick() -> Self {
        Self { timing: RedisTiming::default(), ..Self::default() }
    }

    /// A clock that is this many seconds fast.
    pub(crate) fn ahead(seconds: u64) -> Self {
        Self { ahead: Duration::from_secs(seconds), ..Self::default() }
    }
}

impl TestEnv {
    /// Uses the Redis that all tests share, with its own prefix for names.
    pub(crate) fn new() -> Self {
        Self::at(&server_variable("LATCHKEY_TEST_REDIS_URL"))
    }

    pub(crate) fn at(url: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("test-{}-{}-{number}", std::process::id(), now().as_nanos());
        let store = Arc::new(TestStore::new());
        let (acme, globex) = (fixtures::tenant("acme"), fixtures::tenant("globex"));
        for tenant in [&acme, &globex] {
            store.put_tenant(tenant.clone());
            store.put_client(fixtures::client(tenant, "svc"));
        }
        Self { store, acme, globex, prefix, url: url.to_owned() }
    }

    /// Starts a replica that uses Redis and receives the others' messages.
    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(Traits::default()).await
    }

    pub(crate) async fn replica_with(&self, traits: Traits) -> Replica {
        let before = self.listeners();
        let replica = self.replica_now(traits);
        eventually("Redis is up", || replica.redis.is_up()).await;
        eventually("the replica listens", || self.listeners() > before).await;
        replica
    }

    /// Starts a replica without waiting until it has connected to Redis.
    pub(crate) fn replica_now(&self, traits: Traits) -> Replica {
        let mut options = RedisOptions::new(&self.url, Arc::new(move || now() + traits.ahead)).unwrap();
        (options.prefix, options.timing) = (self.prefix.clone(), traits.timing);
        let redis = RedisCache::open(options, &Pepper::from_bytes(Zeroizing::new([traits.pepper; 32])));
        let shared = Some(Arc::clone(&redis));
        let caches = Caches::new(self.store.clone(), shared, Capacity::default(), traits.freshness);
        Replica { caches, redis }
    }

    pub(crate) fn redis(&self) -> redis::Connection {
        server::connection(&self.url)
    }

    /// All names of this environment in Redis.
    pub(crate) fn names(&self) -> Vec<String> {
        redis::cmd("KEYS").arg(format!("{}:*", self.prefix)).query(&mut self.redis()).unwrap()
    }

    pub(crate) fn name(&self, tenant: &Tenant, what: &str) -> String {
        format!("{}:{{{}}}:{what}", self.prefix, tenant.id)
    }

    pub(crate) fn channel(&self) -> String {
        format!("{}:changes", self.prefix)
    }

    /// Renames the client in the store without sending a message.
    pub(crate) fn rename(&self, tenant: &Tenant, name: &str) {
        self.store.put_client(Client { name: name.to_owned(), ..fixtures::client(tenant, "svc") });
    }

    fn listeners(&self) -> u64 {
        let mut connection = self.redis();
        let answer = redis::cmd("PUBSUB").arg("NUMSUB").arg(self.channel()).query(&mut connection);
        let (_, count): (String, u64) = answer.unwrap();
        count
    }
}

impl Replica {
    /// The name of the tenant's client `svc`.
    pub(crate) async fn name(&self, tenant: &Tenant) -> String {
        self.client(tenant, "svc").await.unwrap().name.clone()
    }

    pub(crate) fn spawn_name(self: &Arc<Self>, tenant: &Tenant) -> JoinHandle<String> {
        let (replica, tenant) = (Arc::clone(self), tenant.clone());
        tokio::spawn(async move { replica.name(&tenant).await })
    }

    pub(crate) async fn client(&self, tenant: &Tenant, id: &str) -> Option<Arc<Client>> {
        self.caches.clients.find_client(&tenant.id, &fixtures::client_id(id)).await.unwrap()
    }

    /// Reads the rows that issuing a token needs.
    pub(crate) async fn token(&self, tenant: &Tenant) {
        assert_eq!(self.caches.tenants.find_tenant(&tenant.id).await.unwrap().unwrap().id, tenant.id);
        self.client(tenant, "svc").await.unwrap();
        self.caches.signing_keys.find_keys(&tenant.id).await.unwrap();
    }

    pub(crate) async fn has_put(&self, rows: u64) {
        eventually("rows are written", || self.redis.counts().puts.get() >= rows).await;
    }
}

pub(crate) fn svc_of(tenant: &Tenant) -> Invalidation {
    Invalidation::Client(tenant.id.clone(), fixtures::client_id("svc"))
}

pub(crate) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no other clock to hand to the cache")]
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
