//! The trusted issuers and the requirements of a verifier. Building it finds mistakes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Certificate;

use crate::algorithm::Algorithms;
use crate::http_uri::normalized;
use crate::key_set::KeySet;
use crate::verifying::cached::Cached;
use crate::verifying::clock::{Clock, SystemClock};
use crate::verifying::http::FetchClient;
use crate::verifying::introspection::Introspection;
use crate::verifying::issuer::{
    FeedSource, IssuerState, KeyDurations, KeyOrigin, Revocations, VerifierState,
};
use crate::verifying::issuers::{IsKnown, Issuers, TenantPlatform};
use crate::verifying::observer::{NoObserver, Observer};
use crate::verifying::refusal::{Challenge, is_quotable};
use crate::verifying::remembered::Remembered;
use crate::verifying::replay::{MemoryGuard, ReplayGuard};
use crate::verifying::service_url::service_url;
use crate::verifying::verifier::{Inner, TokenRules};
use crate::{Algorithm, Verifier};

/// `nbf` and `iat` may be ahead by so much.
const LEEWAY: Duration = Duration::from_secs(5);
const MOST_LEEWAY: Duration = Duration::from_secs(60);
/// The remembered DPoP proofs of one issuer's tokens: each for two minutes, so 800 a second.
const PROOFS_OF_ISSUER: usize = 100_000;
const MOST_STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Builds a [`Verifier`].
#[must_use]
pub struct Builder {
    issuers: Vec<Trusted>,
    platforms: Vec<(String, IsKnown)>,
    audiences: Vec<Box<str>>,
    typs: Vec<Box<str>>,
    algorithms: Algorithms,
    leeway: Duration,
    times: KeyDurations,
    roots: Vec<Vec<u8>>,
    revocations: Revocations,
    public_origins: Vec<String>,
    replay_guard: Arc<dyn ReplayGuard>,
    remembered: usize,
    introspection: Option<Introspection>,
    challenge: Challenge,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

/// An issuer whose tokens are accepted.
#[derive(Debug)]
#[must_use]
pub struct Trusted {
    issuer: Box<str>,
    tenant: Option<Box<str>>,
    keys: KeyChoice,
    revocations: Option<String>,
}

#[derive(Debug)]
enum KeyChoice {
    OfMetadata,
    At(String),
    Fixed(KeySet),
}

/// A setting of a verifier that cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No issuer.
    #[error("no issuer is trusted; call `issuer` or `platform`")]
    NoIssuer,
    /// An issuer twice.
    #[error("the issuer {0} is there twice; remove one of both")]
    RepeatedIssuer(Box<str>),
    /// No audience: tokens for any other API would be accepted.
    #[error(
        "no audience is set; call `audience` with the name of this API, as its authorization server knows it"
    )]
    NoAudience,
    /// A URL to fetch from.
    #[error(
        "`{0}` is no URL to fetch from: use https, or http to this machine; name the URL of the key set with `Trusted::jwks_uri` if the issuer is none"
    )]
    Url(String),
    /// The origin at which clients reach this API.
    #[error("`{0}` is no public origin: write it as `https://orders.example.com`")]
    PublicOrigin(String),
    /// Revocations are required of an issuer without a feed.
    #[error(
        "revocations are required, and nothing says where the feed of {0} is; name it with `Trusted::revocations_uri`"
    )]
    NoRevocations(Box<str>),
    /// More leeway than a minute.
    #[error("a leeway of more than 60 seconds is not allowed; synchronise the clocks")]
    Leeway,
    /// Keys that would be used for longer than a day after they were fresh.
    #[error("`max_stale` is at most 24 hours")]
    MaxStale,
    /// A text that cannot be in a challenge.
    #[error("`{0}` cannot be in a header: use printable ASCII characters without quotes and backslashes")]
    Unquotable(Box<str>),
    /// A root certificate.
    #[error("a root certificate is no PEM")]
    RootCertificate,
    /// The HTTP client.
    #[error("the HTTP client cannot be made")]
    HttpClient(#[source] reqwest::Error),
}

impl Verifier {
    /// Begins a verifier.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Trusted {
    /// The issuer of exactly this name. Its metadata names its keys (RFC 8414), unless another source is
    /// configured.
    pub fn issuer(name: impl Into<Box<str>>) -> Self {
        Self { issuer: name.into(), tenant: None, keys: KeyChoice::OfMetadata, revocations: None }
    }

    /// Fetches its keys from this URL.
    pub fn jwks_uri(self, url: impl Into<String>) -> Self {
        Self { keys: KeyChoice::At(url.into()), ..self }
    }

    /// Uses these keys, and fetches none.
    pub fn key_set(self, keys: KeySet) -> Self {
        Self { keys: KeyChoice::Fixed(keys), ..self }
    }

    /// Fetches its revocation feed from this URL.
    pub fn revocations_uri(self, url: impl Into<String>) -> Self {
        Self { revocations: Some(url.into()), ..self }
    }

    /// The tenant that [`crate::Caller::tenant`] returns for its tokens.
    pub fn tenant(self, tenant: impl Into<Box<str>>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }
}

impl Default for Builder {
    fn default() -> Self {
        let times = KeyDurations {
            least_fresh: Duration::from_secs(30),
            cool_down: Duration::from_secs(10),
            max_stale: Duration::from_secs(60 * 60),
        };
        Self {
            issuers: Vec::new(),
            platforms: Vec::new(),
            audiences: Vec::new(),
            typs: vec!["at+jwt".into()],
            algorithms: Algorithms::DEFAULT,
            leeway: LEEWAY,
            times,
            roots: Vec::new(),
            revocations: Revocations::Preferred,
            public_origins: Vec::new(),
            replay_guard: Arc::new(MemoryGuard::new(PROOFS_OF_ISSUER)),
            remembered: 0,
            introspection: None,
            challenge: Challenge::default(),
            clock: Arc::new(SystemClock::new()),
            observer: Arc::new(NoObserver),
        }
    }
}

impl Builder {
    /// Trusts an issuer.
    pub fn issuer(mut self, issuer: Trusted) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Trusts tenants of the platform at this URL, whose issuers are `{url}/api/v1/tenant/{id}`. The closure
    /// says whether a tenant is known; it must not block, and its answer is used for 30 s.
    pub fn platform(
        mut self,
        url: impl Into<String>,
        is_known: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.platforms.push((url.into(), Box::new(is_known)));
        self
    }

    /// Accepts tokens for this audience, which is the name of the API. It is required; each call adds one.
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts this `typ` besides `at+jwt`, such as `JWT` for issuers from before RFC 9068.
    pub fn accept_typ(mut self, typ: impl Into<Box<str>>) -> Self {
        self.typs.push(typ.into());
        self
    }

    /// Accepts this algorithm besides RS256, PS256, ES256, ES384 and EdDSA.
    pub fn accept_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithms = self.algorithms.with(algorithm);
        self
    }

    /// How far `nbf` and `iat` may be ahead of the clock: 5 s, and 60 s at most. `exp` has no leeway.
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// How long keys stay in use after their freshness, while the issuer cannot be reached: an hour, and a
    /// day at most.
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.times.max_stale = max_stale;
        self
    }

    /// The shortest freshness of keys, whatever `Cache-Control` says: 30 s.
    pub fn least_fresh(mut self, least_fresh: Duration) -> Self {
        self.times.least_fresh = least_fresh;
        self
    }

    /// The shortest time between two fetches for unknown keys: 10 s. Any caller can send tokens with random
    /// `kid`.
    pub fn cool_down(mut self, cool_down: Duration) -> Self {
        self.times.cool_down = cool_down;
        self
    }

    /// How revocations are handled: [`Revocations::Preferred`] by default.
    pub fn revocations(self, revocations: Revocations) -> Self {
        Self { revocations, ..self }
    }

    /// The origin at which clients reach this API, such as `https://orders.example.com`. The `htu` of a DPoP
    /// proof must be below it. Without one no token that is bound to a DPoP key is accepted. Each call adds
    /// one. Nothing is read from `Host` or `Forwarded` headers.
    pub fn public_origin(mut self, url: impl Into<String>) -> Self {
        self.public_origins.push(url.into());
        self
    }

    /// Records the used DPoP proofs. Share one among the processes of an API; by default each process has its
    /// own.
    pub fn replay_guard(self, replay_guard: Arc<dyn ReplayGuard>) -> Self {
        Self { replay_guard, ..self }
    }

    /// Remembers the signatures of this number of tokens, so that a repeated token costs no signature; none
    /// by default. It is for an API that gets each token many times. All other checks are made each time: of
    /// times, type and audience, whether the key is still in the key set, revocation, and the proof of a
    /// bound token. A token takes about 100 bytes.
    pub fn remember(self, most: usize) -> Self {
        Self { remembered: most, ..self }
    }

    /// Introspects opaque tokens (RFC 7662), whose issuers must be trusted as well. An answer is used for 10
    /// s, an inactive one for 5 s. Without an answer of the issuer the response is 503. Without this setting
    /// an opaque token is refused, and with it one of another issuer than Latchkey, unless
    /// [`Introspection::any_token`] is set.
    pub fn introspection(self, introspection: Introspection) -> Self {
        Self { introspection: Some(introspection), ..self }
    }

    /// Trusts the certificates of this PEM file as well, when it fetches.
    pub fn root_certificates_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// `realm` of challenges; none by default.
    pub fn realm(mut self, realm: impl Into<Box<str>>) -> Self {
        self.challenge.realm = Some(realm.into());
        self
    }

    /// `resource_metadata` of challenges: the URL of this API's metadata (RFC 9728 §5.1).
    pub fn resource_metadata(mut self, url: impl Into<Box<str>>) -> Self {
        self.challenge.resource_metadata = Some(url.into());
        self
    }

    /// Notifies this observer of fetches, and of accepted and refused tokens; none by default.
    pub fn observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// Takes the time from this clock.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Checks what needs no other setting.
    fn check(&self) -> Result<(), ConfigError> {
        if self.issuers.is_empty() && self.platforms.is_empty() {
            return Err(ConfigError::NoIssuer);
        }
        if self.audiences.is_empty() {
            return Err(ConfigError::NoAudience);
        }
        if self.leeway > MOST_LEEWAY {
            return Err(ConfigError::Leeway);
        }
        if self.times.max_stale > MOST_STALE {
            return Err(ConfigError::MaxStale);
        }
        let quoted = self.challenge.realm.iter().chain(&self.challenge.resource_metadata);
        if let Some(text) = quoted.into_iter().find(|text| !is_quotable(text)) {
            return Err(ConfigError::Unquotable(text.clone()));
        }
        Ok(())
    }

    /// Builds the verifier. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn build(self) -> Result<Verifier, ConfigError> {
        self.check()?;
        let mut challenge = self.challenge;
        challenge.offers_dpop = !self.public_origins.is_empty();
        let public_origins = self.public_origins.into_iter().map(|url| match normalized(&url) {
            Some(normal) => Ok(normal.trim_end_matches('/').into()),
            None => Err(ConfigError::PublicOrigin(url)),
        });
        let public_origins = public_origins.collect::<Result<_, _>>()?;
        let mut named = HashMap::new();
        for trusted in self.issuers {
            if matches!(self.revocations, Revocations::Within(_)) && !trusted.may_have_feed() {
                return Err(ConfigError::NoRevocations(trusted.issuer));
            }
            let issuer = trusted.build()?;
            if let Some(twice) = named.insert(issuer.name.clone(), issuer) {
                return Err(ConfigError::RepeatedIssuer(twice.name.clone()));
            }
        }
        let platforms = self.platforms.into_iter().map(|(url, is_known)| {
            Ok(TenantPlatform::new(&service_url(&url).ok_or(ConfigError::Url(url))?, is_known))
        });
        let platforms: Vec<_> = platforms.collect::<Result<_, _>>()?;
        let roots = root_certificates(&self.roots)?;
        let introspector = self.introspection.map(|introspection| {
            let url =
                service_url(&introspection.url).ok_or_else(|| ConfigError::Url(introspection.url.clone()))?;
            Ok(introspection.at(url))
        });
        let introspector = introspector.transpose()?;
        let fetches = introspector.is_some()
            || !platforms.is_empty()
            || named.values().any(|issuer: &Arc<IssuerState>| issuer.fetches());
        let http = fetches.then(|| FetchClient::new(roots)).transpose().map_err(ConfigError::HttpClient)?;
        Ok(Verifier(Arc::new(Inner {
            issuers: Issuers::new(named, platforms),
            rules: TokenRules {
                algorithms: self.algorithms,
                typs: self.typs,
                audiences: self.audiences,
                leeway: self.leeway.as_secs(),
            },
            environment: Arc::new(VerifierState {
                http,
                clock: self.clock,
                times: self.times,
                revocations: self.revocations,
                observer: self.observer,
            }),
            public_origins,
            replay_guard: self.replay_guard,
            remembered: Remembered::new(self.remembered),
            introspector,
            challenge: Arc::new(challenge),
        })))
    }
}

fn root_certificates(pems: &[Vec<u8>]) -> Result<Vec<Certificate>, ConfigError> {
    let mut roots = Vec::new();
    for pem in pems {
        let of_pem = Certificate::from_pem_bundle(pem).unwrap_or_default();
        if of_pem.is_empty() {
            return Err(ConfigError::RootCertificate);
        }
        roots.extend(of_pem);
    }
    Ok(roots)
}

impl Trusted {
    fn build(self) -> Result<Arc<IssuerState>, ConfigError> {
        let tenant = self.tenant.as_deref();
        let url = |text: &str| service_url(text).ok_or_else(|| ConfigError::Url(text.to_owned()));
        let named = self.revocations.as_deref().map(url).transpose()?.map(FeedSource::At);
        let (source, keys, feed) = match self.keys {
            KeyChoice::Fixed(keys) => (KeyOrigin::Fixed, Cached::fixed(keys), FeedSource::None),
            KeyChoice::At(text) => (KeyOrigin::Jwks(url(&text)?), Cached::new(), FeedSource::None),
            KeyChoice::OfMetadata => {
                (KeyOrigin::Metadata(url(&self.issuer)?), Cached::new(), FeedSource::Metadata)
            }
        };
        Ok(IssuerState::new(&self.issuer, tenant, source, keys, named.unwrap_or(feed)))
    }

    const fn may_have_feed(&self) -> bool {
        self.revocations.is_some() || matches!(self.keys, KeyChoice::OfMetadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(builder: Builder, expected: &str) {
        let error = builder.build().map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn build_reports_configuration_errors() {
        let trusted = || Trusted::issuer("https://id.example.com");
        let good = || Verifier::builder().issuer(trusted()).audience("orders");
        assert!(good().build().is_ok());
        check(Verifier::builder().audience("orders"), "no issuer is trusted");
        check(Verifier::builder().issuer(trusted()), "no audience is set");
        check(good().issuer(trusted()), "the issuer https://id.example.com is there twice");
        check(good().issuer(Trusted::issuer("thunder")), "`thunder` is no URL to fetch from");
        let in_clear = Trusted::issuer("a").jwks_uri("http://a.example/");
        check(good().issuer(in_clear), "`http://a.example/` is no URL");
        check(good().platform("http://id.example.com", |_| true), "`http://id.example.com` is no URL");
        check(good().public_origin("orders.example.com"), "`orders.example.com` is no public origin");
        let fixed = Trusted::issuer("a").jwks_uri("https://a.example/");
        let within = Revocations::Within(Duration::from_secs(60));
        check(good().issuer(fixed).revocations(within), "revocations are required");
        check(good().leeway(Duration::from_secs(61)), "a leeway of more than");
        check(good().max_stale(MOST_STALE * 2), "`max_stale` is at most");
        check(good().realm("a\"b"), "`a\"b` cannot be in a header");
        check(good().root_certificates_pem("x"), "a root certificate is no PEM");
    }
}
