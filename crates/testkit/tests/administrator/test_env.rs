//! Administrators over a store, and the actors of the tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use administration::{
    Actor, Administrator, Authority, Caller, ClientView, CreatedClient, EditPolicy, Idempotency,
    Invalidation, NewClient, NewTenant,
};
use async_trait::async_trait;
use keys::{KeyPool, KeySealer, SealError, SealingContext, SealingKey};
use protocol::{Lifetime, Secret, Timestamp};
use registry::{Client, ClientId};
use secrets::{Pepper, hash_token};
use serde_json::{Value, json};
use tenancy::TenantId;
use testkit::TestStore;
use testkit::fixtures::{NOW, client_id, scope, tenant_id};
use zeroize::Zeroizing;

/// One process over a store.
pub(crate) struct TestEnv {
    pub(crate) store: Arc<TestStore>,
    pub(crate) administrator: Administrator,
    pub(crate) published: Arc<Mutex<Vec<Invalidation>>>,
    /// The administrator's clock. It starts at the epoch, so that times in requests are relative to now.
    pub(crate) clock: Arc<AtomicU64>,
    /// Seconds that each sealing takes by this clock, with slow sealing.
    pub(crate) seconds: Arc<AtomicU64>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    NOW + Lifetime::from_seconds(seconds)
}

pub(crate) fn env() -> TestEnv {
    at(Arc::default(), Arc::new(SealingKey::generate().unwrap()), Arc::new(Pepper::generate()))
}

/// Makes an environment with a slow sealing service: each call takes this many seconds by the administrator's
/// clock.
pub(crate) fn env_with_slow_sealing(seconds: u64) -> TestEnv {
    let (clock, takes) = (Arc::<AtomicU64>::default(), Arc::new(AtomicU64::new(seconds)));
    let key = SealingKey::generate().unwrap();
    let sealer = Arc::new(SlowSealer { key, clock: clock.clone(), seconds: takes.clone() });
    TestEnv { seconds: takes, ..with_clock(Arc::default(), sealer, Arc::new(Pepper::generate()), clock) }
}

struct SlowSealer {
    key: SealingKey,
    clock: Arc<AtomicU64>,
    seconds: Arc<AtomicU64>,
}

#[async_trait]
impl KeySealer for SlowSealer {
    async fn seal(&self, context: &SealingContext<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.clock.fetch_add(self.seconds.load(Ordering::SeqCst), Ordering::SeqCst);
        self.key.seal(context, plain).await
    }

    async fn unseal(
        &self,
        context: &SealingContext<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.key.unseal(context, sealed).await
    }
}

fn at(store: Arc<TestStore>, sealer: Arc<dyn KeySealer>, pepper: Arc<Pepper>) -> TestEnv {
    with_clock(store, sealer, pepper, Arc::default())
}

fn with_clock(
    store: Arc<TestStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
    clock: Arc<AtomicU64>,
) -> TestEnv {
    with_limit(store, sealer, pepper, clock, 10_000)
}

/// Makes an environment with this limit of clients per tenant.
pub(crate) fn small_env(clients: u64) -> TestEnv {
    let sealer = Arc::new(SealingKey::generate().unwrap());
    with_limit(Arc::default(), sealer, Arc::new(Pepper::generate()), Arc::default(), clients)
}

fn with_limit(
    store: Arc<TestStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
    clock: Arc<AtomicU64>,
    clients: u64,
) -> TestEnv {
    let published = Arc::<Mutex<Vec<Invalidation>>>::default();
    let recorded = Arc::clone(&published);
    let policy = EditPolicy {
        public_url: "https://id.example.com".to_owned(),
        live_secrets: 5,
        api_keys: 10,
        clients,
        deletion_grace: Lifetime::from_seconds(7 * 86_400),
        l1_lifetime: Lifetime::from_seconds(10),
        urls: administration::UrlRule::default(),
    };
    let administrator = Administrator::new(
        store.clone(),
        sealer.clone(),
        pepper.clone(),
        KeyPool::new(0),
        policy,
        Arc::new(move |published: &[Invalidation]| recorded.lock().unwrap().extend_from_slice(published)),
        {
            let clock = clock.clone();
            Arc::new(move || Timestamp::from_seconds(clock.load(Ordering::SeqCst)))
        },
    );
    TestEnv { store, administrator, published, clock, seconds: Arc::default(), sealer, pepper }
}

impl TestEnv {
    /// Returns another process with the same store.
    pub(crate) fn beside(&self) -> Self {
        at(self.store.clone(), self.sealer.clone(), self.pepper.clone())
    }

    pub(crate) async fn tenant(&self, id: &str) -> TenantId {
        self.administrator
            .create_tenant(&caller(&operator(), NOW), new_tenant(json!({ "id": id })))
            .await
            .unwrap();
        tenant_id(id)
    }

    /// Makes a tenant with one client.
    pub(crate) async fn tenant_with(&self, id: &str, client: Value) -> (TenantId, CreatedClient) {
        let new = new_tenant(json!({ "id": id, "client": client }));
        let made = self.administrator.create_tenant(&caller(&operator(), NOW), new).await.unwrap();
        (tenant_id(id), made.value.client.unwrap())
    }

    pub(crate) async fn client(&self, tenant: &TenantId, client: &str) -> ClientView {
        self.administrator
            .look::<Client>(&caller(&operator(), NOW), tenant, &client_id(client))
            .await
            .unwrap()
    }

    /// The client's secret that the value matches now, as a token request would see it.
    pub(crate) async fn opens(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        value: &str,
        now: Timestamp,
    ) -> bool {
        let found = registry::ClientStore::find_client(&*self.store, tenant, client).await.unwrap().unwrap();
        let hash = hash_token(&self.pepper, tenant, client, &Secret::new(value.to_owned()));
        found.secrets.iter().any(|secret| secret.is_live(now) && secret.hash.matches(&hash))
    }
}

pub(crate) fn operator() -> Authority {
    Authority::operator(Actor { name: "cli:root".to_owned(), ..Actor::default() })
}

pub(crate) fn caller(by: &Authority, now: Timestamp) -> Caller {
    Caller::new(by.clone(), now)
}

/// A caller that sends this idempotency key.
pub(crate) fn repeating(by: &Authority, now: Timestamp, idempotency: Option<&Idempotency>) -> Caller {
    Caller { idempotency: idempotency.cloned(), ..caller(by, now) }
}

pub(crate) fn of_tenant(tenant: &str, granted: &str) -> Authority {
    let actor = Actor {
        name: format!("client:{tenant}/ops"),
        source: Some("192.0.2.1".to_owned()),
        ..Actor::default()
    };
    Authority::of_tenant(actor, tenant_id(tenant), &scope(granted))
}

pub(crate) fn new_tenant(document: Value) -> NewTenant {
    NewTenant::read(document).unwrap()
}

pub(crate) fn new_client(document: Value) -> NewClient {
    NewClient::read(document).unwrap()
}

pub(crate) fn idempotency_key(key: &str, request: u8) -> Idempotency {
    Idempotency { key: key.to_owned(), request: [request; 32] }
}
