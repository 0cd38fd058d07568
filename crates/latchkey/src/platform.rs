//! The composition root: every part of the platform is made here, once, and given to those that need it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use administration::{Invalidation, Reconciler};
use cache::{Caches, Capacity};
use gateway::{Listener, Options, Services, Surface};
use grants::{Engine, ProtectedResource};
use keys::{KeyPool, KeyRings};
use protocol::{Lifetime, ScopeToken};
use registry::{Authenticator, FailedAttemptsLimit, HashPool, RememberedSecrets};
use storage_sqlite::SqliteDatabase;
use tenancy::TenantResolver;

use crate::settings::{self, Loaded, StorageLocation};
use crate::start_error::StartError;
use crate::{clock, sealing};

/// RSA keys that are made ahead, so that a new tenant's first token waits for none.
const KEYS_AHEAD: usize = 2;
/// Tenants whose parsed keys are kept, 4 KiB each.
const RINGS: u64 = 10_000;

/// All parts.
pub(crate) struct Platform {
    pub(crate) database: Arc<SqliteDatabase>,
    pub(crate) caches: Caches,
    pub(crate) reconciler: Reconciler,
    pub(crate) services: Services,
}

impl Platform {
    /// Opens the store and the server's own secrets, and puts the rest on top of them.
    pub(crate) async fn open(loaded: &Loaded) -> Result<Self, StartError> {
        let StorageLocation::Sqlite(path) = &loaded.storage else {
            return Err(StartError::PostgresNotServed);
        };
        let database = Arc::new(SqliteDatabase::open(path).await?);
        let sealer = sealing::sealer(&loaded.sealing_key, &*database).await?;
        let pepper = sealing::pepper(&*database, &*sealer, clock::now()).await?;
        let caches = Caches::new(database.clone(), database.clone(), database.clone(), Capacity::default());
        let pool = KeyPool::new(KEYS_AHEAD);
        pool.refill();
        let keys = Arc::new(KeyRings::new(caches.signing_keys.clone(), Arc::clone(&sealer), pool, RINGS));
        let limit = FailedAttemptsLimit {
            count: loaded.limits.failed_attempts.count.into(),
            per: Lifetime::from_seconds(loaded.limits.failed_attempts.period().as_secs()),
        };
        let authenticator = Authenticator::new(
            caches.clients.clone(),
            Arc::clone(&pepper),
            Arc::new(HashPool::start(hash_threads()).map_err(StartError::HashPool)?),
            RememberedSecrets::generate(),
            limit,
        );
        let services = Services {
            tenants: TenantResolver::new(caches.tenants.clone()),
            authenticator: Arc::new(authenticator),
            engine: Engine::new(Arc::clone(&keys), caches.clients.clone()),
            keys,
            clock: Arc::new(clock::now),
        };
        let reconciler = Reconciler::new(database.clone(), sealer, pepper);
        Ok(Self { database, caches, reconciler, services })
    }

    /// Lets caches forget what has changed.
    pub(crate) fn forget(&self, changed: &[Invalidation]) {
        self.caches.apply(changed);
    }
}

/// What the gateway is told, from what the operator has set.
pub(crate) fn gateway_options(loaded: &Loaded) -> Result<Options, StartError> {
    let mut listeners = Vec::with_capacity(loaded.server.listeners.len());
    for listener in &loaded.server.listeners {
        let address = listener.address.socket();
        if listener.tls.is_some() {
            // Never in clear what was meant to be encrypted; `latchkey check` says so too.
            tracing::warn!(%address, "listener left closed: TLS is not served by this version");
            continue;
        }
        let serves = |surface| listener.serves.contains(&surface);
        let surface =
            Surface { public: serves(settings::Surface::Public), admin: serves(settings::Surface::Admin) };
        listeners.push(Listener { address, surface });
    }
    if listeners.is_empty() {
        return Err(StartError::NoListener);
    }
    Ok(Options {
        public_url: loaded.server.public_url.as_str().to_owned(),
        listeners,
        default_tenant: loaded.server.default_tenant.clone(),
        protected_resource: loaded.protected_resource.as_ref().map(|resource| ProtectedResource {
            tenant: resource.tenant.clone(),
            audience: resource.audience.clone(),
            required_scope: resource
                .required_scope
                .as_deref()
                .and_then(|scope| ScopeToken::parse(scope).ok()),
        }),
        workers: loaded.server.workers.map_or_else(cores, NonZeroUsize::get),
    })
}

fn cores() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}

/// One core is left to requests that need no hash.
fn hash_threads() -> NonZeroUsize {
    NonZeroUsize::new(cores().saturating_sub(1)).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests;
