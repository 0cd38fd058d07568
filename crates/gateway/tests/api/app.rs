//! The gateway for tests: two tenants in a store of their own, on a port of its own, with a clock
//! that tests control.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;

use accounts::SignIns;
use administration::administrator::{EditPolicy, ReadClock};
use administration::kinds::RequestRows;
use administration::mail::MailPolicy;
use futures_util::FutureExt as _;
use gateway::{
    CertificateSources, Composition, ConnectionLimits, Gateway, GatewayHandle, ListenAddresses, Services,
    WriteBudget,
};
use grants::ResourceRequirement;
use keys::{KeyPool, KeyRingCache, SealingKey, SigningKeyStore as _};
use protocol::Scope;
use registry::PublicUrls;
use secrets::{HashPool, Pepper, SharedCounts};
use tenancy::TenantResolver;
use tokio::sync::oneshot;
use values::Rate;

use crate::client_fixtures::{self, Secrets};
use crate::health_report::TestHealthReport;
use crate::prelude::*;

pub(crate) const ACME: &str = "acme";
pub(crate) const GLOBEX: &str = "globex";
pub(crate) const BOTH: [(&str, &str); 2] = [(ACME, GLOBEX), (GLOBEX, ACME)];
/// The base of all metadata. It differs from the real address, so that tests notice a URL that is
/// derived from the address.
pub(crate) const PUBLIC_URL: &str = "http://localhost:3000";

/// The sample resource server of the default tenant.
pub(crate) const RESOURCE: &str = "/api/v1/protected-resource";

/// Shared by all gateways of a test, like replicas: each accepts what another one has issued.
static PEPPER: LazyLock<Arc<Pepper>> = LazyLock::new(|| Arc::new(Pepper::generate()));

/// The cache lifetime in the calculation of key rotations. The store for tests has no cache.
pub(crate) const L1_LIFETIME: Lifetime = Lifetime::from_seconds(10);

/// Dropping it stops the gateway.
pub(crate) struct TestApp {
    pub(crate) store: Arc<TestStore>,
    pub(crate) acme: Secrets,
    pub(crate) globex: Secrets,
    pub(crate) health_report: Arc<TestHealthReport>,
    /// Hashes passwords and chosen secrets.
    pub(crate) pool: Arc<HashPool>,
    /// In the order of the listeners.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) handle: GatewayHandle,
    pub(crate) pepper: Arc<Pepper>,
    pub(crate) sealing_key: SealingKey,
    /// No users are declared at first.
    services: Services,
    /// Store calls before the first request.
    calls: u64,
    clock: Arc<AtomicU64>,
    http: reqwest::Client,
    /// Does not follow redirects. Created once, because loading the certificates of the machine
    /// takes longer than many requests.
    pub(crate) browser_http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

/// A write limit that no other test reaches.
const ENOUGH: [Rate; 2] = [Rate::per_minute(1_000_000); 2];
/// A limit for remembered assertions and proofs that no other test reaches.
const WHOLE_SHARE: u32 = 250_000;

impl TestApp {
    /// The default tenant is acme.
    pub(crate) fn start() -> Self {
        Self::start_with(&options(ACME))
    }

    pub(crate) fn start_with(options: &Options) -> Self {
        Self::start_over(options, |store| TenantResolver::new(store))
    }

    /// `limit` is for failed authentications.
    pub(crate) fn start_limited(limit: Rate) -> Self {
        Self::start_whole(&options(ACME), (limit, ENOUGH, WHOLE_SHARE), |store| TenantResolver::new(store))
    }

    /// `share` is the number of remembered assertions, and of remembered proofs, for each tenant.
    pub(crate) fn start_with_share(share: u32) -> Self {
        let limits = (Rate::per_minute(10_000), ENOUGH, share);
        Self::start_whole(&options(ACME), limits, |store| TenantResolver::new(store))
    }

    /// `tenant` and `platform` are the write limits of administrators.
    pub(crate) fn start_with_writes(options: &Options, tenant: u32, platform: u32) -> Self {
        let writes = [tenant, platform].map(Rate::per_minute);
        let limit = Rate::per_minute(10_000);
        Self::start_whole(options, (limit, writes, WHOLE_SHARE), |store| TenantResolver::new(store))
    }

    /// `tenants` replaces the store of tenants.
    pub(crate) fn start_over(
        options: &Options,
        tenants: impl FnOnce(Arc<TestStore>) -> TenantResolver,
    ) -> Self {
        Self::start_whole(options, (Rate::per_minute(10_000), ENOUGH, WHOLE_SHARE), tenants)
    }

    fn start_whole(
        options: &Options,
        (limit, [tenant_writes, platform_writes], share): (Rate, [Rate; 2], u32),
        tenants: impl FnOnce(Arc<TestStore>) -> TenantResolver,
    ) -> Self {
        let store = Arc::new(TestStore::new());
        let pepper = Arc::clone(&PEPPER);
        let acme = client_fixtures::settle(&store, &pepper, &fixtures::tenant(ACME));
        let globex = client_fixtures::settle(&store, &pepper, &fixtures::tenant(GLOBEX));
        let sealing_key = SealingKey::generate().unwrap();
        for tenant in [ACME, GLOBEX].map(fixtures::tenant_id) {
            add_key(&store, &sealing_key, &tenant);
        }
        let calls = store.calls().total();
        let sealer = Arc::new(SealingKey::from_base64(&sealing_key.to_base64()).unwrap());
        let keys = Arc::new(KeyRingCache::new(store.clone(), sealer.clone(), KeyPool::new(0), 1 << 20));
        let clock = Arc::new(AtomicU64::new(fixtures::NOW.seconds()));
        let ticking = clock.clone();
        let tells: ReadClock = Arc::new(move || Timestamp::from_seconds(ticking.load(Ordering::SeqCst)));
        let health_report = Arc::new(TestHealthReport::default());
        let pool = Arc::new(HashPool::start(NonZeroUsize::MIN).unwrap());
        let sign_ins = SignIns::new(store.clone(), &pepper, pool.clone());
        let composition = Composition {
            store: store.clone(),
            rows: RequestRows {
                tenants: tenants(store.clone()),
                clients: store.clone(),
                federated: store.clone(),
                api_keys: store.clone(),
                revocations: store.clone(),
                accounts: store.clone(),
                logos: store.clone(),
            },
            identifiers: store.clone(),
            jwks_fetcher: store.clone(),
            keys,
            key_pool: KeyPool::new(0),
            sealer,
            pepper: pepper.clone(),
            hashes: pool.clone(),
            policy: EditPolicy {
                public_url: PUBLIC_URL.to_owned(),
                live_secrets: 5,
                api_keys: 10,
                clients: 10_000,
                deletion_grace: Lifetime::from_seconds(30 * 86_400),
                l1_lifetime: L1_LIFETIME,
                urls: administration::rules::UrlRule::default(),
                mail: MailPolicy { sends: true, ..MailPolicy::default() },
            },
            public_urls: PublicUrls::new(PUBLIC_URL, options.mtls_url.as_deref()),
            default_tenant: options.default_tenant.clone(),
            failed_attempts: limit,
            shared_counts: SharedCounts::default(),
            refusal_timer: None,
            share: Some(share),
            secret_writer: Arc::new(administration::administrator::secret_writer::NoStores),
            refused_samples: &[],
            clock: tells,
        };
        let mut services = composition.services(
            Arc::new(sign_ins.with_refusal_grid(Duration::from_millis(100))),
            WriteBudget::new(tenant_writes, platform_writes),
            Arc::new(|_: &[_]| ()),
            health_report.clone(),
        );
        let gateway =
            Gateway::listen(ListenAddresses::take(&options.listeners).unwrap(), options, &services).unwrap();
        services.tokens.certificate_sources = CertificateSources::served(&options.listeners);
        let (addresses, handle) = (gateway.addresses().to_vec(), gateway.handle());
        let (stop, stopped) = oneshot::channel();
        let server = std::thread::spawn(move || serve(gateway, stopped));
        // Without TLS: loading the certificate authorities of the machine takes longer than most
        // requests.
        let http = || reqwest::Client::builder().tls_certs_only([]);
        let browser_http = http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let http = http().build().unwrap();
        let (stop, server) = (Some(stop), Some(server));
        Self {
            store,
            acme,
            globex,
            health_report,
            pool,
            addresses,
            handle,
            pepper,
            sealing_key,
            services,
            calls,
            clock,
            http,
            browser_http,
            stop,
            server,
        }
    }

    pub(crate) fn secrets(&self, tenant: &str) -> &Secrets {
        if tenant == ACME { &self.acme } else { &self.globex }
    }

    /// Store calls of requests, without those that added the keys.
    pub(crate) fn store_calls(&self) -> u64 {
        self.store.calls().total() - self.calls
    }

    /// Does not wait until the gateway has stopped.
    pub(crate) fn begin_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Advances the clock while a request waits for the next second.
    pub(crate) async fn passing<T>(&self, request: impl Future<Output = T>) -> T {
        let ticks = async {
            loop {
                sleep(Duration::from_millis(50)).await;
                self.pass(1);
            }
        };
        tokio::select! {
            answer = request => answer,
            never = ticks => never,
        }
    }

    /// Sets the clock back, like that of a replica that is behind.
    pub(crate) fn go_back(&self, seconds: u64) {
        self.clock.fetch_sub(seconds, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> ReadClock {
        Arc::clone(&self.services.clock)
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Enables sign-in, then applies the change.
    pub(crate) fn change_provider(&self, tenant: &str, change: impl FnOnce(&mut Tenant)) {
        self.change_tenant(tenant, |tenant| {
            tenant.strategies.oidc = true;
            change(tenant);
        });
    }

    /// Replaces a tenant by its fixture with the change. Its clients stay.
    pub(crate) fn change_tenant(&self, tenant: &str, change: impl FnOnce(&mut Tenant)) {
        let mut tenant = client_fixtures::tenant(tenant);
        change(&mut tenant);
        self.store.put_tenant(tenant);
    }

    /// The tenant's keys stay published.
    pub(crate) fn suspend(&self, tenant: &str) {
        let keys_published_until = Timestamp::from_seconds(u64::MAX);
        self.change_tenant(tenant, |tenant| tenant.status = TenantStatus::Suspended { keys_published_until });
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_at(0, method, path)
    }

    pub(crate) fn request_at(&self, listener: usize, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.addresses[listener]))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::to(self.request(Method::POST, path).form(form)).await
    }

    /// Sends a form without encoding it.
    pub(crate) async fn post_body(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path).body(body);
        Answer::to(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    /// Sends a form as a client of the tenant, with its secret in the header.
    pub(crate) async fn post_as(
        &self,
        (tenant, client): (&str, &str),
        path: &str,
        form: &[(&str, &str)],
    ) -> Answer {
        let request = self.request(Method::POST, &tenant_path(tenant, path));
        Answer::to(request.basic_auth(client, Some(self.secrets(tenant).of(client))).form(form)).await
    }

    /// `token` is sent as a bearer token.
    pub(crate) async fn get_with(&self, token: &str, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path).bearer_auth(token)).await
    }

    pub(crate) async fn userinfo(&self, tenant: &str, token: &str) -> Answer {
        self.get_with(token, &tenant_path(tenant, "/oauth/userinfo")).await
    }

    /// Whether introspection reports the token as active, for a client that may introspect all
    /// tokens.
    pub(crate) async fn is_active(&self, tenant: &str, token: &str) -> bool {
        let answer = self.post_as((tenant, AUDITOR), "/oauth/introspect", &[("token", token)]).await;
        let is_active = answer.json_of(200)["active"] == true;
        assert!(is_active || answer.body == r#"{"active":false}"#, "{answer:?}");
        is_active
    }

    /// For requests that an HTTP library cannot send.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addresses[0]).await.unwrap()
    }

    pub(crate) async fn token(&self, tenant: &str) -> String {
        self.token_of(tenant, client_fixtures::SVC).await
    }

    pub(crate) async fn token_of(&self, tenant: &str, client: &str) -> String {
        self.fetch(tenant, client, self.secrets(tenant).of(client)).await.access_token()
    }

    /// Requests a token with this secret.
    pub(crate) async fn fetch(&self, tenant: &str, client: &str, secret: &str) -> Answer {
        self.post(&token_path(tenant), &credentials(client, secret)).await
    }
}

impl Deref for TestApp {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.begin_to_stop();
        let ended = self.server.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

/// Adds the tenant's `oauth2-key-1`.
pub(crate) fn add_key(store: &TestStore, sealing_key: &SealingKey, tenant: &TenantId) {
    let record = Forge::from_tenant(tenant.as_str()).record(tenant, sealing_key);
    assert!(store.add_key(tenant, &record).now_or_never().unwrap().unwrap());
}

/// One worker on an ephemeral port.
pub(crate) fn options(default_tenant: &str) -> Options {
    Options {
        public_url: format!("{PUBLIC_URL}/"),
        mtls_url: None,
        listeners: vec![ListenerOptions::new(([127, 0, 0, 1], 0).into(), ListenerSurface::new(true, true))],
        strict_transport: false,
        caught_mail: None,
        connections: ConnectionLimits::default(),
        default_tenant: Some(default_tenant.to_owned()),
        protected_resource: Some(ResourceRequirement {
            tenant: default_tenant.to_owned(),
            audience: fixtures::AUDIENCE.to_owned(),
            required_scope: Scope::parse("api:read").unwrap(),
        }),
        language: gateway::Language::English,
        workers: 1,
    }
}

/// The form of a client credentials request.
pub(crate) fn credentials<'a>(client: &'a str, secret: &'a str) -> [(&'a str, &'a str); 3] {
    [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret)]
}

/// The parameters of a client that authenticates with an assertion.
pub(crate) fn asserted(assertion: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ]
}

pub(crate) fn token_path(tenant: &str) -> String {
    tenant_path(tenant, "/oauth/token")
}

pub(crate) fn tenant_path(tenant: &str, rest: &str) -> String {
    format!("/api/v1/tenant/{tenant}{rest}")
}

fn serve(gateway: Gateway, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let handle = gateway.handle();
        tokio::spawn(async move {
            let _ = stopped.await;
            handle.stop().await;
        });
        gateway.serve().await.unwrap();
    });
}
