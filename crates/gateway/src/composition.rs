//! Composes the services, in one function for the program, for its commands over the store, and for tests.

use std::sync::Arc;

use accounts::{AccountStore, SignIns};
use administration::{
    AdministrationStore, Administrator, EditPolicy, Invalidation, Publish, ReadClock, RequestRows,
    SecretWriter,
};
use grants::{AuthorizationStore, Authorizations, Engine};
use keys::{JwksFetches, KeyPool, KeyRingCache, KeySealer};
use registry::{
    ApiKeys, Assertions, Authenticator, DpopProofs, JwksFetcher, PublicUrls, ReplayStore, Users,
    VerifiedSecretCache,
};
use secrets::{HashPool, Pepper, PreciseTimer};
use sessions::{Flows, KnownBrowsers, SessionStore, Sessions};
use values::Rate;

use crate::{CertificateSources, HealthReport, Services, TokenServices, WriteBudget};

/// A store of everything that administrators change and people do.
pub trait PlatformStore: AdministrationStore + AuthorizationStore + AccountStore + SessionStore {}

impl<S> PlatformStore for S where S: AdministrationStore + AuthorizationStore + AccountStore + SessionStore {}

/// The parts that the services are composed of.
pub struct Composition {
    /// Everything that no cache holds.
    pub store: Arc<dyn PlatformStore>,
    /// The rows that most requests read.
    pub rows: RequestRows,
    /// The used assertions and proofs.
    pub identifiers: Arc<dyn ReplayStore>,
    /// Fetches the key sets of clients.
    pub jwks_fetcher: Arc<dyn JwksFetcher>,
    /// The tenants' keys.
    pub keys: Arc<KeyRingCache>,
    /// New keys.
    pub key_pool: KeyPool,
    /// Seals new keys.
    pub sealer: Arc<dyn KeySealer>,
    /// The pepper of secrets and codes.
    pub pepper: Arc<Pepper>,
    /// Computes hashes.
    pub hashes: Arc<HashPool>,
    /// The policy of edits.
    pub policy: EditPolicy,
    /// The URLs that callers use.
    pub public_urls: PublicUrls,
    /// The tenant with endpoints that name no tenant.
    pub default_tenant: Option<String>,
    /// How often a secret may be wrong.
    pub failed_attempts: Rate,
    /// Delays the refusals of client secrets to an exact instant, so that their time reveals nothing.
    pub refusal_timer: Option<PreciseTimer>,
    /// How many assertions, and how many proofs, are remembered for a tenant, if not the usual number.
    pub share: Option<u32>,
    /// Published secrets that authenticate nothing.
    pub refused_samples: &'static [&'static str],
    /// The secret stores to which rotations write.
    pub secret_writer: Arc<dyn SecretWriter>,
    /// The time.
    pub clock: ReadClock,
}

impl Composition {
    /// The administrator. It passes the changes of each commit to `publish`.
    #[must_use]
    pub fn administrator(&self, publish: Publish) -> Administrator {
        Administrator::new(
            self.store.clone(),
            Arc::clone(&self.sealer),
            Arc::clone(&self.pepper),
            self.key_pool.clone(),
            self.policy.clone(),
            publish,
            Arc::clone(&self.clock),
        )
        .writing(Arc::clone(&self.secret_writer))
    }

    /// The services of the token endpoint.
    #[must_use]
    pub fn token_services(mut self, certificate_sources: CertificateSources) -> TokenServices {
        let authorizations = Authorizations::new(self.store.clone(), &self.pepper);
        self.tokens(authorizations, certificate_sources)
    }

    /// The services of all routes. When an administrator changes an account, its failed sign-ins are counted
    /// from zero.
    #[must_use]
    pub fn services(
        mut self,
        sign_ins: Arc<SignIns>,
        writes: WriteBudget,
        publish: Publish,
        health_report: Arc<dyn HealthReport>,
    ) -> Services {
        let authorizations = Authorizations::new(self.store.clone(), &self.pepper);
        let (counting, shown) = (Arc::clone(&sign_ins), Arc::clone(&sign_ins));
        let administrator = self
            .administrator(Arc::new(move |changed: &[Invalidation]| {
                publish(changed);
                forget_failures(&counting, changed);
            }))
            .showing(Arc::new(move |tenant, account, now| shown.throttled(tenant, account, now)));
        let users = Users::new(Arc::clone(&self.hashes), &self.pepper, self.failed_attempts);
        Services {
            tokens: self.tokens(authorizations.clone(), CertificateSources::default()),
            sign_ins,
            sessions: Sessions::new(self.store.clone(), &self.pepper),
            flows: Arc::new(Flows::new(&self.pepper)),
            known_browsers: Arc::new(KnownBrowsers::new(&self.pepper)),
            authorizations,
            administrator: Arc::new(administrator),
            writes: Arc::new(writes),
            users: Arc::new(users.refusing(self.refused_samples)),
            rows: self.rows,
            keys: self.keys,
            usage: Arc::default(),
            leaks: Arc::default(),
            report_budget: Arc::default(),
            refusals: Arc::default(),
            jwks_fetches: Arc::new(JwksFetches::default()),
            clock: self.clock,
            declared_at: Arc::new(|_, _| None),
            health_report,
        }
    }

    fn tokens(
        &mut self,
        authorizations: Authorizations,
        certificate_sources: CertificateSources,
    ) -> TokenServices {
        let RequestRows { tenants, clients, api_keys, revocations, .. } = self.rows.clone();
        let api_keys = Arc::new(ApiKeys::new(api_keys, self.pepper.clone()));
        let (authenticator, dpop) = (Arc::new(self.authenticator(api_keys.clone())), Arc::new(self.dpop()));
        let (keys, store) = (self.keys.clone(), self.store.clone());
        let engine = Engine::new(keys, clients, api_keys, revocations, authorizations, store);
        TokenServices { tenants, authenticator, dpop, engine, certificate_sources }
    }

    fn dpop(&self) -> DpopProofs {
        let proofs = DpopProofs::new(self.identifiers.clone(), &self.pepper, self.public_urls.clone());
        match self.share {
            Some(share) => proofs.with_share(share),
            None => proofs,
        }
    }

    fn authenticator(&mut self, api_keys: Arc<ApiKeys>) -> Authenticator {
        let assertions = Assertions::new(
            self.identifiers.clone(),
            self.jwks_fetcher.clone(),
            self.public_urls.clone(),
            self.default_tenant.clone(),
        );
        let assertions = match self.share {
            Some(share) => assertions.with_share(share),
            None => assertions,
        };
        let authenticator = Authenticator::new(
            (self.rows.clients.clone(), self.rows.federated.clone()),
            api_keys,
            self.pepper.clone(),
            self.hashes.clone(),
            VerifiedSecretCache::generate(),
            assertions,
            self.failed_attempts,
        );
        let authenticator = authenticator.refusing(self.refused_samples);
        match self.refusal_timer.take() {
            Some(timer) => authenticator.with_refusal_timer(timer),
            None => authenticator,
        }
    }
}

/// Counts failed sign-ins anew at the accounts that were changed.
pub fn forget_failures(sign_ins: &SignIns, changed: &[Invalidation]) {
    for change in changed {
        if let Invalidation::Account(tenant, account) = change {
            sign_ins.forget_failures(tenant, account);
        }
    }
}
