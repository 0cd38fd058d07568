//! The composition root: creates every part of the platform once and connects the parts.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use accounts::SignIns;
use administration::administrator::{Administrator, EditPolicy};
use administration::declaration::reconcile::Reconciler;
use administration::documents::FileSecret;
use administration::kinds::Invalidation;
use administration::mail::{MailPolicy, MailSealer};
use anyhow::Context as _;
use cache::{Caches, Capacity, Freshness, RedisCache, RedisOptions, SharedReplayGuard};
use gateway::{
    CaughtMail, Composition, ConnectionLimits, ListenerOptions, ListenerSurface, Options, Services,
    TenantConsole, TrustedPeers, WriteBudget,
};
use grants::ResourceRequirement;
use keys::{KeyPool, KeyRingCache, KeySealer};
use parking_lot::Mutex;
use protocol::Scope;
use registry::{ClientId, PublicUrls, ReplayStore};
use rustix::process::{Resource, getrlimit};
use secrets::{HashPool, Pepper, PreciseTimer, SharedCounts};
use storage::{Database, FeedNews};

use crate::health::PlatformHealth;
use crate::jwks_fetcher::GuardedJwksFetcher;
use crate::left_out::LeftOut;
use crate::sealing::UnsealedKeys;
use crate::secret_store_writer::StoreWriter;
use crate::{clock, database, sealing, tls};
use settings::{Loaded, PlatformSettings, PublicUrl, SAMPLE_SECRETS};

pub(crate) const THREADS: &str = "cannot start the threads that verify secrets";
/// The number of RSA keys that are generated in advance, so that the first token of a new tenant need not
/// wait.
const KEYS_AHEAD: usize = 2;
/// The capacity for parsed keys in bytes: about 10 000 tenants with one RSA-2048 key each.
const RING_BYTES: u64 = 128 << 20;

/// All parts of a running platform.
pub struct Platform {
    pub database: Arc<Database>,
    /// The caches of rows.
    pub caches: Caches,
    /// Applies settings to the store.
    pub reconciler: Reconciler,
    pub(crate) administrator: Arc<Administrator>,
    /// Background tasks also report their state here.
    pub(crate) health: Arc<PlatformHealth>,
    pub(crate) services: Services,
    pub(crate) mail_sealer: Arc<MailSealer>,
}

impl Platform {
    /// Opens the store and the server's own secrets, and builds the other parts.
    pub async fn open(settings: &PlatformSettings) -> anyhow::Result<Self> {
        let database = database::open_with(&settings.storage, settings.connections).await?;
        let sealer = sealing::sealer(&settings.sealing_keys, &database).await?;
        let pepper = sealing::pepper(&*database, &*sealer, clock::now()).await?;
        let sealer: Arc<dyn KeySealer> = sealer;
        let (caches, redis) = caches(&database, &pepper, settings)?;
        let shared_counts = redis.as_ref().map(|redis| redis.counts_to_share.clone()).unwrap_or_default();
        let hashes = Arc::new(HashPool::start(hash_threads()).context(THREADS)?);
        let sign_ins = SignIns::new(database.clone(), &pepper, Arc::clone(&hashes))
            .throttling(settings.limits.sign_in.into(), &shared_counts)
            .refusing(refused_samples(settings))
            .with_refusal_timer(PreciseTimer::start().context(THREADS)?);
        let sign_ins = Arc::new(sign_ins);
        let jwks_fetcher = Arc::new(GuardedJwksFetcher::new(settings));
        let (stores, sealing) = ((&database, &caches), Arc::clone(&sealer));
        let pool = KeyPool::new(KEYS_AHEAD);
        let composition = Composition {
            identifiers: replay_guard(&database, redis.as_ref()),
            shared_counts,
            refusal_timer: Some(PreciseTimer::start().context(THREADS)?),
            ..composition(settings, stores, sealing, &pepper, hashes, pool, jwks_fetcher.clone())
        };
        let health = Arc::new(PlatformHealth {
            sign_ins: Arc::clone(&sign_ins),
            database: Arc::clone(&database),
            sealer: Arc::clone(&sealer),
            digest_keys: pepper.tenants.clone(),
            tenant_keys: UnsealedKeys::default(),
            caches: caches.clone(),
            redis,
            pool: composition.key_pool.clone(),
            hashes: Arc::clone(&composition.hashes),
            keys: Arc::clone(&composition.keys),
            jwks_fetcher,
            rotated: Arc::default(),
            rotated_secrets: Arc::default(),
            exported_audit: Arc::default(),
            losses: Arc::default(),
            left_out: LeftOut::default(),
            secret_stores: Arc::clone(&settings.secret_stores),
            found: Mutex::default(),
        });
        let writes = WriteBudget::new(settings.limits.admin_writes, settings.limits.platform_writes);
        let announce = {
            let caches = caches.clone();
            Arc::new(move |changed: &[Invalidation]| caches.apply(changed))
        };
        let declared = settings.declared.clone();
        let services = Services {
            declared_at: Arc::new(move |tenant, client| {
                Some(declared.find(tenant.as_str(), client.map(ClientId::as_str)))
            }),
            ..composition.services(sign_ins, writes, announce, health.clone())
        };
        let administrator = Arc::clone(&services.administrator);
        let mail_sealer = Arc::new(MailSealer::new(&pepper));
        let mut reconciler = Reconciler::new(database.clone(), sealer, pepper);
        (reconciler.l1_lifetime, reconciler.clients) =
            (settings.l1_lifetime, settings.limits.clients.get().into());
        Ok(Self { database, caches, reconciler, administrator, health, services, mail_sealer })
    }

    /// Handles a change notification, which the store sends to every replica: invalidates caches and tries
    /// tenants with a conflict again.
    pub(crate) fn on_news(&self, news: &FeedNews) {
        let changed = match news {
            FeedNews::Changed(changed) => changed,
            FeedNews::UpToDate(at) => return self.caches.follow(*at),
            FeedNews::NewHistory(history) => {
                self.caches.begin_history(*history);
                self.health.losses.on_new_history(*history);
                // Failed sign-ins stay counted, because an outage must not give an attacker new attempts.
                return self.health.left_out.on_new_history();
            }
        };
        self.caches.forget(changed);
        gateway::forget_failures(&self.services.sign_ins, changed);
        self.health.left_out.on_invalidation(changed);
    }
}

fn edit_policy(settings: &PlatformSettings) -> EditPolicy {
    EditPolicy {
        public_url: settings.server.public_url.as_str().to_owned(),
        live_secrets: settings.limits.live_secrets.get().into(),
        api_keys: settings.limits.api_keys.get().into(),
        clients: settings.limits.clients.get().into(),
        deletion_grace: settings.limits.deletion_grace,
        l1_lifetime: settings.l1_lifetime,
        urls: settings.server.outbound.url_rule(),
        mail: MailPolicy {
            sends: settings.mail.is_some(),
            recovers_administrators: settings.mail.as_ref().is_some_and(|mail| mail.recovers_administrators),
        },
    }
}

/// The parts that the services of a server, or of a command on the store, need.
pub(crate) fn composition(
    settings: &PlatformSettings,
    (database, caches): (&Arc<Database>, &Caches),
    sealer: Arc<dyn KeySealer>,
    pepper: &Arc<Pepper>,
    hashes: Arc<HashPool>,
    key_pool: KeyPool,
    jwks_fetcher: Arc<GuardedJwksFetcher>,
) -> Composition {
    let signing_keys = caches.signing_keys.clone();
    let opened = settings.cache_memory.opened_keys.map_or(RING_BYTES, bytes);
    let keys = KeyRingCache::new(signing_keys, Arc::clone(&sealer), key_pool.clone(), opened);
    Composition {
        store: database.clone(),
        rows: caches.rows(),
        identifiers: database.clone(),
        jwks_fetcher,
        keys: Arc::new(keys),
        key_pool,
        sealer,
        pepper: Arc::clone(pepper),
        hashes,
        policy: edit_policy(settings),
        public_urls: public_urls(settings),
        default_tenant: settings.server.default_tenant.clone(),
        failed_attempts: settings.limits.failed_attempts,
        shared_counts: SharedCounts::default(),
        refusal_timer: None,
        share: None,
        refused_samples: refused_samples(settings),
        secret_writer: Arc::new(StoreWriter(Arc::clone(&settings.secret_stores))),
        clock: Arc::new(clock::now),
    }
}

fn public_urls(settings: &PlatformSettings) -> PublicUrls {
    let server = &settings.server;
    PublicUrls::new(server.public_url.as_str(), server.mtls_url.as_ref().map(PublicUrl::as_str))
}

/// If other machines can reach a listener, published sample secrets authenticate no client, even if the store
/// contains them.
fn refused_samples(settings: &PlatformSettings) -> &'static [&'static str] {
    if settings.server.is_beyond_loopback() { &SAMPLE_SECRETS } else { &[] }
}

pub(crate) fn gateway_options(loaded: &Loaded, caught_mail: Option<CaughtMail>) -> anyhow::Result<Options> {
    let server = &loaded.platform.server;
    let mut listeners = Vec::with_capacity(server.listeners.len());
    let names_console = server.listeners.iter().any(settings::Listener::names_console);
    for listener in &server.listeners {
        let address = listener.address.socket();
        let tls = listener.tls.as_ref().map(|tls| tls::open(address, tls)).transpose()?;
        let serves = |surface| listener.surfaces().contains(&surface);
        let mut surface =
            ListenerSurface::new(serves(settings::Surface::Public), serves(settings::Surface::Admin));
        if names_console {
            let of_tenants = serves(settings::Surface::Console);
            surface.console = if of_tenants { TenantConsole::OfAll } else { TenantConsole::None };
            surface.operator_console = serves(settings::Surface::OperatorConsole);
        }
        let hosts = listener.hosts.clone();
        let trusted_proxies = listener.trusted_proxies.as_ref().map(|proxies| TrustedPeers {
            from: proxies.from.iter().map(|network| network.net()).collect(),
            header: proxies.header,
        });
        let header = listener.certificate_header();
        let client_certificate_header =
            header.map(|header| tls::certificate_header(address, header)).transpose()?;
        listeners.push(ListenerOptions {
            address,
            surface,
            tls,
            hosts,
            trusted_proxies,
            client_certificate_header,
        });
    }
    Ok(Options {
        public_url: server.public_url.as_str().to_owned(),
        mtls_url: server.mtls_url.as_ref().map(|url| url.as_str().to_owned()),
        listeners,
        default_tenant: server.default_tenant.clone(),
        protected_resource: loaded.protected_resource.as_ref().map(|resource| ResourceRequirement {
            tenant: resource.tenant.clone(),
            audience: resource.audience.clone(),
            required_scope: resource
                .required_scope
                .as_deref()
                .and_then(|scope| Scope::parse(scope).ok())
                .unwrap_or_default(),
        }),
        connections: connection_limits(server.max_connections, open_files()),
        strict_transport: server.public_url.is_https() && !server.public_url.is_on_loopback(),
        caught_mail,
        language: gateway::Language::English,
        workers: server.workers.map_or_else(cores, NonZeroUsize::get),
    })
}

/// The limit of open files of this process. `None`: no limit.
fn open_files() -> Option<usize> {
    usize::try_from(getrlimit(Resource::Nofile).current?).ok()
}

/// The requested limits, but at most three quarters of the open files, because the store, certificates and
/// listeners need files, too.
fn connection_limits(requested: Option<u32>, files: Option<usize>) -> ConnectionLimits {
    let wanted = requested.map_or(ConnectionLimits::default().all, |requested| requested as usize);
    let possible = files.map_or(usize::MAX, |files| (files - files / 4).max(1));
    if requested.is_some() && wanted > possible {
        tracing::warn!(
            "server.max_connections is {wanted}, but the limit of open files only allows {possible}. Raise the limit (LimitNOFILE)"
        );
    }
    ConnectionLimits::from_all(wanted.min(possible))
}

/// Caches in this process and, if configured, in Redis. Nothing waits for Redis here: the platform works
/// without Redis until it answers.
pub(crate) fn caches(
    database: &Arc<Database>,
    pepper: &Pepper,
    settings: &PlatformSettings,
) -> anyhow::Result<(Caches, Option<Arc<RedisCache>>)> {
    let open = |url: &FileSecret| {
        let options = RedisOptions::new(url.expose(), Arc::new(clock::since_epoch))?;
        anyhow::Ok(RedisCache::open(options, pepper))
    };
    let redis = settings.redis_url.as_ref().map(open).transpose().context("cannot use cache.redis_url")?;
    let fresh = Freshness::new(Duration::from_secs(settings.l1_lifetime.seconds()));
    let mut capacity = Capacity::default();
    for (name, mebibytes) in settings.cache_memory.given() {
        capacity.set(name, bytes(mebibytes));
    }
    Ok((Caches::new(database.clone(), redis.clone(), capacity, fresh), redis))
}

fn bytes(mebibytes: u32) -> u64 {
    u64::from(mebibytes) << 20
}

/// SQLite is used on one machine without other replicas, so Redis is not needed to share used identifiers.
fn replay_guard(database: &Arc<Database>, redis: Option<&Arc<RedisCache>>) -> Arc<dyn ReplayStore> {
    match redis {
        Some(redis) if !database.is_embedded() => {
            Arc::new(SharedReplayGuard::new(database.clone(), Arc::clone(redis)))
        }
        _ => database.clone(),
    }
}

fn cores() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Leaves one core to requests that need no hash.
fn hash_threads() -> NonZeroUsize {
    NonZeroUsize::new(cores().saturating_sub(1)).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests;
