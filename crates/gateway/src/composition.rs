//! Builds the services, in one function for the program, for commands that use the store directly,
//! and for tests.

use std::sync::Arc;

use accounts::{AccountStore, SignIns};
use administration::administrator::secret_writer::SecretWriter;
use administration::administrator::{Administrator, EditPolicy, Publish, ReadClock};
use administration::kinds::{Invalidation, RequestRows};
use administration::store::AdministrationStore;
use grants::{AuthorizationStore, Authorizations, Engine};
use keys::{JwksFetches, KeyPool, KeyRingCache, KeySealer};
use registry::{
    ApiKeys, Assertions, Authenticator, DpopProofs, JwksFetcher, PublicUrls, ReplayStore, Users,
    VerifiedCache,
};
use secrets::{FailedAttempts, HashPool, Pepper, PreciseTimer, SharedCounts};
use sessions::{Flows, KnownBrowsers, SessionStore, Sessions};
use values::Rate;

use crate::{CertificateSources, HealthReport, ReportBudget, Services, TokenServices, WriteBudget};

pub trait PlatformStore: AdministrationStore + AuthorizationStore + AccountStore + SessionStore {}

impl<S> PlatformStore for S where S: AdministrationStore + AuthorizationStore + AccountStore + SessionStore {}

pub struct Composition {
    /// Not cached.
    pub store: Arc<dyn PlatformStore>,
    /// The rows that most requests read, through the cache.
    pub rows: RequestRows,
    /// Remembers used assertions and DPoP proofs.
    pub identifiers: Arc<dyn ReplayStore>,
    pub jwks_fetcher: Arc<dyn JwksFetcher>,
    pub keys: Arc<KeyRingCache>,
    /// Generates keys in advance.
    pub key_pool: KeyPool,
    /// Encrypts private keys before they are stored.
    pub sealer: Arc<dyn KeySealer>,
    /// Keys the digests of secrets and codes.
    pub pepper: Arc<Pepper>,
    /// Hashes passwords and secrets on its own threads.
    pub hashes: Arc<HashPool>,
    pub policy: EditPolicy,
    pub public_urls: PublicUrls,
    /// The tenant that is also served at the paths without a tenant.
    pub default_tenant: Option<String>,
    /// The limit for wrong secrets.
    pub failed_attempts: Rate,
    /// What replicas count together.
    pub shared_counts: SharedCounts,
    /// Delays refusals of client secrets to an exact time, so that the duration reveals nothing.
    pub refusal_timer: Option<PreciseTimer>,
    /// The number of assertions and of proofs that are remembered for each tenant. `None` for the
    /// default.
    pub share: Option<u32>,
    /// Secrets from the documentation, which the server refuses.
    pub refused_samples: &'static [&'static str],
    /// Rotations write the new secret to these external stores.
    pub secret_writer: Arc<dyn SecretWriter>,
    pub clock: ReadClock,
}

impl Composition {
    /// The administrator passes the changes of each commit to `publish`.
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

    #[must_use]
    pub fn token_services(mut self, certificate_sources: CertificateSources) -> TokenServices {
        let authorizations = Authorizations::new(self.store.clone(), &self.pepper, &self.shared_counts);
        self.tokens(authorizations, certificate_sources)
    }

    /// The services of all routes. Changing an account resets its count of failed sign-ins.
    #[must_use]
    pub fn services(
        mut self,
        sign_ins: Arc<SignIns>,
        writes: WriteBudget,
        publish: Publish,
        health_report: Arc<dyn HealthReport>,
    ) -> Services {
        let authorizations = Authorizations::new(self.store.clone(), &self.pepper, &self.shared_counts);
        let (counting, shown) = (Arc::clone(&sign_ins), Arc::clone(&sign_ins));
        let administrator = self
            .administrator(Arc::new(move |changed: &[Invalidation]| {
                publish(changed);
                forget_failures(&counting, changed);
            }))
            .showing(Arc::new(move |tenant, account, now| shown.throttled(tenant, account, now)));
        let failed_attempts = self.failed_attempts("user");
        let users = Users::new(Arc::clone(&self.hashes), &self.pepper, failed_attempts);
        Services {
            tokens: self.tokens(authorizations.clone(), CertificateSources::default()),
            sign_ins,
            sessions: Sessions::new(self.store.clone(), &self.pepper),
            flows: Arc::new(Flows::new(&self.pepper)),
            known_browsers: Arc::new(KnownBrowsers::new(&self.pepper)),
            authorizations,
            administrator: Arc::new(administrator),
            writes: Arc::new(writes.shared(&self.shared_counts)),
            users: Arc::new(users.refusing(self.refused_samples)),
            rows: self.rows,
            keys: self.keys,
            usage: Arc::default(),
            leaks: Arc::default(),
            report_budget: Arc::new(ReportBudget::new(&self.shared_counts)),
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

    fn failed_attempts(&self, of: &'static str) -> FailedAttempts {
        FailedAttempts::new(self.failed_attempts).shared(self.shared_counts.limit("failed attempts", of))
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
            VerifiedCache::generate(),
            assertions,
            self.failed_attempts("client"),
        );
        let authenticator = authenticator.refusing(self.refused_samples);
        match self.refusal_timer.take() {
            Some(timer) => authenticator.with_refusal_timer(timer),
            None => authenticator,
        }
    }
}

/// Resets the failed sign-ins of the changed accounts.
pub fn forget_failures(sign_ins: &SignIns, changed: &[Invalidation]) {
    for change in changed {
        if let Invalidation::Account(tenant, account) = change {
            sign_ins.forget_failures(tenant, account);
        }
    }
}
