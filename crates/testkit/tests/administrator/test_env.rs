//! Administrators over a store, and the actors of the tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use administration::administrator::{Administrator, Caller, Created, EditPolicy, Idempotency};
use administration::audit::AuditRecord;
use administration::documents::{ClientView, CreatedClient, KeysChanged, NewClient, NewTenant, TenantView};
use administration::edit::{EditError, KeyCommand, TenantStep};
use administration::kinds::Invalidation;
use administration::kinds::authority::{Actor, Authority};
use administration::mail::MailPolicy;
use administration::store::KeySchedule as _;
use administration::store::query::AuditQuery;
use async_trait::async_trait;
use keys::{KeyPool, KeyRecords, KeySealer, SealError, SealingContext, SealingKey};
use registry::{Client, ClientId};
use secrets::{Pepper, hash_token};
use serde_json::{Value, json};
use tenancy::{Tenant, TenantId};
use testkit::TestStore;
use testkit::fixtures::{NOW, client_id, scope, tenant_id};
use values::{Lifetime, Secret, Timestamp};
use zeroize::Zeroizing;

/// One process with a store.
pub(crate) struct TestEnv {
    pub(crate) store: Arc<TestStore>,
    pub(crate) administrator: Administrator,
    pub(crate) published: Arc<Mutex<Vec<Invalidation>>>,
    /// The administrator's clock. It begins at the epoch, so that times in requests are relative to the
    /// beginning.
    pub(crate) clock: Arc<AtomicU64>,
    /// How many seconds the administrator's clock advances whenever it is read.
    pub(crate) tick: Arc<AtomicU64>,
    /// How many seconds of this clock each sealing takes, if sealing is slow.
    pub(crate) seconds: Arc<AtomicU64>,
    sealer: Arc<dyn KeySealer>,
    pub(crate) pepper: Arc<Pepper>,
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    NOW + Lifetime::from_seconds(seconds)
}

pub(crate) fn env() -> TestEnv {
    let sealer = Arc::new(SealingKey::generate().unwrap());
    over(Arc::default(), sealer, Arc::new(Pepper::generate()), Arc::default())
}

/// An environment where administrators can reset their password by mail.
pub(crate) fn env_that_recovers_administrators() -> TestEnv {
    let (sealer, pepper) = (Arc::new(SealingKey::generate().unwrap()), Arc::new(Pepper::generate()));
    let mail = MailPolicy { sends: true, recovers_administrators: true };
    over_with(Arc::default(), sealer, pepper, Arc::default(), mail)
}

/// An environment with a slow sealing service: each call takes this many seconds of the administrator's
/// clock.
pub(crate) fn env_with_slow_sealing(seconds: u64) -> TestEnv {
    let (clock, takes) = (Arc::<AtomicU64>::default(), Arc::new(AtomicU64::new(seconds)));
    let key = SealingKey::generate().unwrap();
    let sealer = Arc::new(SlowSealer { key, clock: clock.clone(), seconds: takes.clone() });
    let env = over(Arc::default(), sealer, Arc::new(Pepper::generate()), clock);
    TestEnv { seconds: takes, ..env }
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

fn over(
    store: Arc<TestStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
    clock: Arc<AtomicU64>,
) -> TestEnv {
    over_with(store, sealer, pepper, clock, MailPolicy { sends: true, ..MailPolicy::default() })
}

fn over_with(
    store: Arc<TestStore>,
    sealer: Arc<dyn KeySealer>,
    pepper: Arc<Pepper>,
    clock: Arc<AtomicU64>,
    mail: MailPolicy,
) -> TestEnv {
    let published = Arc::<Mutex<Vec<Invalidation>>>::default();
    let tick = Arc::<AtomicU64>::default();
    let (recorded, time, ticking) = (Arc::clone(&published), Arc::clone(&clock), Arc::clone(&tick));
    let policy = EditPolicy {
        public_url: "https://id.example.com".to_owned(),
        live_secrets: 5,
        api_keys: 10,
        clients: 10_000,
        deletion_grace: Lifetime::from_seconds(7 * 86_400),
        l1_lifetime: Lifetime::from_seconds(10),
        urls: administration::rules::UrlRule::default(),
        mail,
    };
    let administrator = Administrator::new(
        store.clone(),
        sealer.clone(),
        pepper.clone(),
        KeyPool::new(0),
        policy,
        Arc::new(move |published: &[Invalidation]| recorded.lock().unwrap().extend_from_slice(published)),
        Arc::new(move || {
            Timestamp::from_seconds(time.fetch_add(ticking.load(Ordering::SeqCst), Ordering::SeqCst))
        }),
    );
    TestEnv { store, administrator, published, clock, tick, seconds: Arc::default(), sealer, pepper }
}

impl TestEnv {
    /// Another process with the same store.
    pub(crate) fn beside(&self) -> Self {
        over(self.store.clone(), self.sealer.clone(), self.pepper.clone(), Arc::default())
    }

    pub(crate) async fn tenant(&self, id: &str) -> TenantId {
        self.made(json!({ "id": id })).await.0
    }

    /// Creates a tenant from this document, and its client if it has one.
    pub(crate) async fn made(&self, document: Value) -> (TenantId, Option<CreatedClient>) {
        let id = tenant_id(document["id"].as_str().unwrap());
        let new = NewTenant::read(document).unwrap();
        let made = self.administrator.create_tenant(&now(), new).await.unwrap();
        (id, made.value.client)
    }

    pub(crate) async fn tenant_with(&self, id: &str, client: Value) -> (TenantId, CreatedClient) {
        let (tenant, made) = self.made(json!({ "id": id, "client": client })).await;
        (tenant, made.unwrap())
    }

    pub(crate) async fn client(&self, tenant: &TenantId, client: &str) -> ClientView {
        self.administrator.of(&now(), tenant).look::<Client>(&client_id(client)).await.unwrap()
    }

    /// A command of the operator for the tenant's keys, `seconds` after the beginning.
    pub(crate) async fn command(&self, tenant: &TenantId, seconds: u64, command: KeyCommand) -> Commanded {
        self.administrator.of(&at(seconds), tenant).command_keys(command).await
    }

    /// The tenant's keys as they are stored.
    pub(crate) async fn records(&self, tenant: &TenantId) -> KeyRecords {
        self.store.load_keys(tenant).await.unwrap().unwrap().records
    }

    pub(crate) async fn due_at(&self, tenant: &TenantId) -> Option<Timestamp> {
        self.store.load_keys(tenant).await.unwrap().unwrap().due_at
    }

    pub(crate) async fn step(&self, tenant: &TenantId, seconds: u64, step: TenantStep) -> TenantView {
        self.administrator.of(&at(seconds), tenant).step::<Tenant>(&(), step).await.unwrap()
    }

    pub(crate) async fn patch(&self, tenant: &TenantId, seconds: u64, patch: Value) -> TenantView {
        self.administrator.of(&at(seconds), tenant).patch::<Tenant>(&(), patch).await.unwrap()
    }

    /// The tenant's audit records, the oldest first.
    pub(crate) async fn audit(&self, tenant: &TenantId) -> Vec<AuditRecord> {
        let query = AuditQuery { tenant: Some(tenant.clone()), limit: 50, ..AuditQuery::default() };
        let page = self.administrator.audit(&now(), query, None).await.unwrap();
        page.items.into_iter().rev().map(|view| view.record).collect()
    }

    /// The client's secret that the value matches now, as a token request would find it.
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

/// The operator, `seconds` after the beginning.
pub(crate) fn at(seconds: u64) -> Caller {
    caller(&operator(), later(seconds))
}

/// The operator at the beginning.
pub(crate) fn now() -> Caller {
    at(0)
}

pub(crate) type Commanded = Result<Created<KeysChanged>, EditError>;

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

pub(crate) fn new_client(document: Value) -> NewClient {
    NewClient::read(document).unwrap()
}

pub(crate) fn idempotency_key(key: &str, request: u8) -> Idempotency {
    Idempotency { key: key.to_owned(), request: [request; 32] }
}
