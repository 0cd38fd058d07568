//! Client authentication (RFC 6749 §2.3). Only this module creates an [`AuthenticatedClient`].
//!
//! All refusals have the same content and the same delay. The cost of a check depends only on the presented
//! secret.

#[cfg(test)]
pub(crate) mod tests;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use keys::{PublicKeys, SignedJwt};
use protocol::{
    AssertionKind, ClientAuthentication, ClientCertificate, Credential, CredentialReason, IdAndSecret,
    PresentedAssertion, api_key_name,
};
use tenancy::{Stored, Tenant, TenantId, TenantTurns};
use tokio::time::{Instant, sleep_until, timeout};
use values::{Secret, Timestamp};

use crate::assertion::assertions::{Assertions, Federated};
use crate::assertion::client_assertion;
use crate::authentication::lookup_latency::LookupLatency;
use crate::authentication::verification::{Candidates, Mismatch, Work};
use crate::authentication::verified_secret_cache::VerifiedKey;
use crate::certificate::client_certificate::check_client_certificate;
use crate::methods::{self, secret};
use crate::{
    ApiKey, ApiKeys, AssertionCheck, CertificateCheck, CertificateMethod, Client, ClientAuthenticationError,
    ClientId, ClientKeys, ClientStatus, ClientStore, CredentialTag, FederatedClientStore, FederationCheck,
    ForeignSubject, KeySource, LastUsedSecrets, OpenedRequestObject, Proof, RequestObjectError,
    RequestObjectId, SecretId, SingleUseError, SingleUseIdentifier, UseOutcome, VerifiedCache,
};
use secrets::{
    AuthenticationAttempt, CallerAddress, FailedAttempts, HashJob, HashPool, Lane, PasswordSalt, Pepper,
    PreciseTimer, SecretHash, presented_token, wait_until,
};

/// The maximum number of concurrent lookups for all addresses over their limit together, so that these
/// addresses cannot occupy all connections to the store. Tenants take turns.
const LOOKUPS_OVER_LIMIT: usize = 2;
/// The maximum number of waiting lookups of one tenant.
const LOOKUPS_WAITING: usize = 1_024;

pub struct Authenticator {
    store: Arc<dyn ClientStore>,
    federated: Arc<dyn FederatedClientStore>,
    pub api_keys: Arc<ApiKeys>,
    pepper: Arc<Pepper>,
    pool: Arc<HashPool>,
    verified_secrets: VerifiedCache,
    assertions: Assertions,
    failed_attempts: FailedAttempts,
    lookups_over_limit: TenantTurns,
    began: Instant,
    lookup_latency: LookupLatency,
    precise_timer: Option<PreciseTimer>,
    samples: &'static [&'static str],
    /// Uses of secrets that have not been written to the store yet.
    pub last_used_secrets: Arc<LastUsedSecrets>,
    /// How many times an expired or revoked secret was presented since the start.
    pub ended_presented: AtomicU64,
}

/// A client that has authenticated. Only [`Authenticator::authenticate`] creates one.
#[derive(Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    proof: Proof,
    credential: CredentialTag,
}

impl AuthenticatedClient {
    /// The client, restricted to what its credential may use.
    #[must_use]
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    #[must_use]
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The tag of the credential, which goes into the `jti` of its tokens.
    #[must_use]
    pub const fn credential(&self) -> CredentialTag {
        self.credential
    }
}

impl Authenticator {
    /// The stores should be caches, because every attempt reads them.
    #[must_use]
    pub fn new(
        (store, federated): (Arc<dyn ClientStore>, Arc<dyn FederatedClientStore>),
        api_keys: Arc<ApiKeys>,
        pepper: Arc<Pepper>,
        pool: Arc<HashPool>,
        verified_secrets: VerifiedCache,
        assertions: Assertions,
        failed_attempts: FailedAttempts,
    ) -> Self {
        Self {
            store,
            federated,
            api_keys,
            pepper,
            pool,
            verified_secrets,
            assertions,
            failed_attempts,
            lookups_over_limit: TenantTurns::new(LOOKUPS_OVER_LIMIT, LOOKUPS_WAITING),
            began: Instant::now(),
            lookup_latency: LookupLatency::new(),
            precise_timer: None,
            samples: &[],
            last_used_secrets: Arc::default(),
            ended_presented: AtomicU64::new(0),
        }
    }

    /// Sets published sample secrets that are refused for every client.
    #[must_use]
    pub fn refusing(self, samples: &'static [&'static str]) -> Self {
        Self { samples, ..self }
    }

    /// Sets the timer for refusals. The runtime's timers are less precise and would reveal how long the
    /// lookup took. Tests use Tokio's paused clock instead.
    #[must_use]
    pub fn with_refusal_timer(self, timer: PreciseTimer) -> Self {
        Self { precise_timer: Some(timer), ..self }
    }

    /// Checks the credentials of one request. Several possible readings of a Basic header count as one
    /// attempt.
    ///
    /// # Errors
    /// Refusals and server failures of [`ClientAuthenticationError`]. Server failures do not count as failed
    /// attempts.
    pub async fn authenticate(
        &self,
        tenant: &Tenant,
        credentials: ClientAuthentication,
        purpose: Purpose,
        source: &CallerAddress,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let arrival = Instant::now();
        let may_fetch = matches!(
            credentials,
            ClientAuthentication::Assertion(_) | ClientAuthentication::Certificate { .. }
        );
        // RFC 6749 §2.3.1: an endpoint that accepts secrets must be protected against guessing.
        let own = tenant.limits.failed_attempts;
        let mut attempt = self.failed_attempts.begin(&tenant.id, own, source, now);
        match self.check(tenant, credentials, &mut attempt, now, arrival, purpose).await {
            Ok(authenticated) => {
                attempt.forgive();
                match &authenticated.proof {
                    _ if purpose == Purpose::Explain => {}
                    Proof::Secret(secret) => {
                        self.last_used_secrets.note(
                            &tenant.id,
                            &authenticated.client.id,
                            secret,
                            UseOutcome::Accepted,
                            source,
                            now,
                        );
                    }
                    Proof::ApiKey(key) => self.api_keys.note_use(key, source, now),
                    Proof::Assertion | Proof::Federated(_) | Proof::Nothing | Proof::Certificate(_) => {}
                }
                Ok(authenticated)
            }
            Err(error) if error.is_refusal() => {
                let refusal = match attempt.fail() {
                    Some(wait) => error.too_often(wait),
                    None => error,
                };
                if purpose != Purpose::Explain {
                    self.note_ended(&tenant.id, &refusal, source, now);
                }
                self.until_refusals_leave(arrival).await;
                if may_fetch {
                    self.until_assertions_leave(&tenant.id, arrival).await;
                }
                Err(refusal)
            }
            Err(error) => {
                attempt.forgive();
                Err(error)
            }
        }
    }

    /// Tells an administrator which credential matches, or why none matches. The call has the normal cost and
    /// limit of an attempt. It does not record a use of the secret and does not authenticate a client.
    ///
    /// # Errors
    /// The errors of [`Authenticator::authenticate`].
    pub async fn explain(
        &self,
        tenant: &Tenant,
        credentials: ClientAuthentication,
        source: &CallerAddress,
        now: Timestamp,
    ) -> Result<Proof, ClientAuthenticationError> {
        Ok(self.authenticate(tenant, credentials, Purpose::Explain, source, now).await?.proof)
    }

    /// Finds a client of this tenant, also a suspended one.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn find(&self, tenant: &TenantId, id: &ClientId) -> Stored<Option<Arc<Client>>> {
        let found = self.store.find_client(tenant, id).await?;
        // Discards a row of another tenant or client, which only a faulty store returns.
        Ok(found.filter(|client| client.tenant == *tenant && client.id == *id))
    }

    /// Finds the client that a request names, for the log. The caller refuses the request before its
    /// credential is checked. The function returns after the delay of refusals, so that the duration of the
    /// lookup is not visible. Lookups take turns; without a turn in time the result is `None`.
    pub async fn find_named(
        &self,
        tenant: &TenantId,
        credentials: &ClientAuthentication,
    ) -> Option<Arc<Client>> {
        let arrival = Instant::now();
        let longest = self.lookup_latency.refusal_delay(self.began.elapsed());
        let found = match timeout(longest, self.lookups_over_limit.take(tenant)).await {
            Ok(Ok(_turn)) => self.look_up_claimed(tenant, credentials).await.ok().flatten(),
            _ => None,
        };
        self.until_refusals_leave(arrival).await;
        found
    }

    async fn look_up_claimed(
        &self,
        tenant: &TenantId,
        credentials: &ClientAuthentication,
    ) -> Stored<Option<Arc<Client>>> {
        let id = match (credentials.client_id(), credentials, credentials.lone_api_key()) {
            (Some(id), ..) => ClientId::parse(id).ok(),
            (None, ClientAuthentication::Assertion(PresentedAssertion { jwt: Some(jwt), kind, .. }), _) => {
                let jwt = client_assertion::read(jwt.expose(), *kind).ok();
                jwt.and_then(|jwt| client_assertion::client_of(&jwt, None))
            }
            (None, _, Some(key)) => {
                let found = self.noted(self.api_keys.find(tenant, key.expose())).await?;
                ApiKeys::client_of(found.as_deref(), "", key.expose())
            }
            _ => None,
        };
        match id {
            Some(id) => self.noted(self.find(tenant, &id)).await,
            None => Ok(None),
        }
    }

    /// Verifies a request object of this client (RFC 9101 §6).
    ///
    /// # Errors
    /// [`RequestObjectError`].
    pub async fn open_request_object(
        &self,
        tenant: &Tenant,
        client: &Client,
        object: &str,
        now: Timestamp,
    ) -> Result<OpenedRequestObject, RequestObjectError> {
        self.assertions.open_request_object(tenant, client, object, now).await
    }

    /// Uses up a request object of this client, for a pushed request or for a browser. The browser may use it
    /// again.
    ///
    /// # Errors
    /// [`SingleUseError`].
    pub async fn use_up_request_object(
        &self,
        client: &Client,
        object: &RequestObjectId,
        browser: Option<&str>,
        now: Timestamp,
    ) -> Result<(), SingleUseError> {
        self.assertions.use_up_request_object(client, object, browser, now).await
    }

    /// Records that an expired or revoked secret or API key was presented: a caller still has it.
    fn note_ended(
        &self,
        tenant: &TenantId,
        refusal: &ClientAuthenticationError,
        source: &CallerAddress,
        now: Timestamp,
    ) {
        match refusal {
            ClientAuthenticationError::Refused {
                ended: Some(Proof::Secret(secret)),
                client: Some(client),
                ..
            } => {
                self.ended_presented.fetch_add(1, Ordering::Relaxed);
                self.last_used_secrets.note(tenant, &client.id, secret, UseOutcome::Refused, source, now);
            }
            ClientAuthenticationError::Refused { ended: Some(Proof::ApiKey(key)), .. } => {
                self.api_keys.note_ended(key, source, now);
            }
            _ => {}
        }
    }

    /// Finds an active client of this tenant. An invalid identifier costs no lookup.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn find_active(&self, tenant: &TenantId, client: &str) -> Stored<Option<Arc<Client>>> {
        let Ok(id) = ClientId::parse(client) else { return Ok(None) };
        let found = self.find(tenant, &id).await?;
        Ok(found.filter(|client| client.status == ClientStatus::Active))
    }

    async fn check(
        &self,
        tenant: &Tenant,
        credentials: ClientAuthentication,
        attempt: &mut AuthenticationAttempt<'_>,
        now: Timestamp,
        arrival: Instant,
        purpose: Purpose,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        if purpose == Purpose::Identify
            && let Some(client) = self.identify(tenant, &credentials, attempt).await?
        {
            return Ok(client);
        }
        let (reason, client_id) = match credentials {
            ClientAuthentication::Post(presented) => {
                return self.check_readings(tenant, [presented], attempt, now, arrival, purpose).await;
            }
            ClientAuthentication::Basic(readings) => {
                return self.check_readings(tenant, readings, attempt, now, arrival, purpose).await;
            }
            ClientAuthentication::Assertion(presented) => {
                return self.check_assertion(tenant, &presented, attempt, now, purpose).await;
            }
            ClientAuthentication::Certificate { client_id, certificate } => {
                return self.check_certificate(&tenant.id, &client_id, &certificate, attempt, now).await;
            }
            // RFC 6749 §2.3: a client with credentials must authenticate; its identifier alone proves
            // nothing.
            ClientAuthentication::None { client_id } => (methods::CREDENTIAL_MISSING, Some(client_id)),
            ClientAuthentication::Unreadable { client_id } => (methods::MALFORMED, client_id),
        };
        // Credentials that cannot be checked cost as much as a wrong secret.
        let named = self.look_up_named(&tenant.id, client_id.as_deref(), attempt).await?;
        self.until_refusals_leave(arrival).await;
        self.hash(dummy_job(), attempt).await?;
        Err(ClientAuthenticationError::refused(reason, named))
    }

    /// Finds the public client that a request names without a credential. Clients that are not public, and
    /// unknown clients, are refused like a client without a credential.
    async fn identify(
        &self,
        tenant: &Tenant,
        credentials: &ClientAuthentication,
        attempt: &AuthenticationAttempt<'_>,
    ) -> Result<Option<AuthenticatedClient>, ClientAuthenticationError> {
        let (ClientAuthentication::None { client_id } | ClientAuthentication::Certificate { client_id, .. }) =
            credentials
        else {
            return Ok(None);
        };
        let Ok(id) = ClientId::parse(client_id) else { return Ok(None) };
        let found = self.look_up(&tenant.id, &id, attempt).await?;
        let client = may_authenticate(found, None).ok();
        Ok(client.map(|client| {
            let credential = CredentialTag::of_public_client(&client.tenant, &client.id);
            AuthenticatedClient { client, proof: Proof::Nothing, credential }
        }))
    }

    /// Checks an assertion, for the client in `sub`, or for the client with a rule for the issuer.
    async fn check_assertion(
        &self,
        tenant: &Tenant,
        presented: &PresentedAssertion,
        attempt: &AuthenticationAttempt<'_>,
        now: Timestamp,
        purpose: Purpose,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let PresentedAssertion { client_id, jwt, kind } = presented;
        let jwt = jwt.as_ref().and_then(|jwt| client_assertion::read(jwt.expose(), *kind).ok());
        let named = client_id.as_deref();
        let Some(jwt) = jwt else {
            return Err(malformed().naming(self.look_up_named(&tenant.id, named, attempt).await?));
        };
        // RFC 7523 §3: a client's own assertion has the client's id in `iss` and `sub`. All other assertions
        // are checked with the client's rules.
        let is_foreign =
            *kind == AssertionKind::JwtSvid || jwt.unverified_issuer() != jwt.unverified_subject();
        let own = client_assertion::client_of(&jwt, client_id.as_deref());
        let found = match (is_foreign, client_id) {
            (true, Some(named)) => ClientId::parse(named).map_err(|_| malformed()),
            (true, None) => match self.client_by_rules(tenant, &jwt, *kind, attempt).await? {
                None => own.clone().ok_or(malformed()),
                Some(found) => found,
            },
            (false, _) => own.clone().ok_or(malformed()),
        };
        let client = match found {
            Ok(id) => {
                let found = self.look_up(&tenant.id, &id, attempt).await?;
                may_authenticate(found, Some(Credential::Assertion))
            }
            Err(error) => Err(error.naming(self.look_up_named(&tenant.id, named, attempt).await?)),
        };
        let has_rules = client.as_ref().is_ok_and(|client| !client.federated.0.is_empty());
        if *kind == AssertionKind::JwtSvid || is_foreign && has_rules {
            let federated = self.assertions.verify_federated(tenant, client, &jwt, *kind, now).await?;
            let Federated { client, proof, identifier } = federated;
            if let Some(identifier) = identifier.filter(|_| purpose != Purpose::Explain) {
                self.use_up(&client, &identifier, FederationCheck::Replay.reason(), now).await?;
            }
            let credential = proof.rule.tag(&tenant.id, &client.id);
            let client = client.with_copied(&proof.copied);
            return Ok(AuthenticatedClient { client, proof: Proof::Federated(proof), credential });
        }
        let client = match own {
            Some(_) => client,
            None => Err(malformed().naming(match client {
                Ok(client) => Some(client),
                Err(error) => error.claimed_client().cloned(),
            })),
        };
        let (client, identifier, credential) = self.assertions.verify(tenant, client, &jwt, now).await?;
        if purpose != Purpose::Explain {
            self.use_up(&client, &identifier, AssertionCheck::Replay.reason(), now).await?;
        }
        Ok(AuthenticatedClient { client, proof: Proof::Assertion, credential })
    }

    /// The client whose rules accept an assertion, or the reason why there is none.
    async fn client_by_rules(
        &self,
        tenant: &Tenant,
        jwt: &SignedJwt<'_>,
        kind: AssertionKind,
        attempt: &AuthenticationAttempt<'_>,
    ) -> Result<Option<Result<ClientId, ClientAuthenticationError>>, ClientAuthenticationError> {
        let Some(subject) = ForeignSubject::new(tenant, jwt, kind) else { return Ok(None) };
        let found = async {
            let found = self.federated.find_federated_clients(&tenant.id, &subject).await?;
            // Discards rows of another tenant, which only a faulty store returns.
            Ok(found.filter(|found| found.tenant == tenant.id))
        };
        let found = self.timed(found, &tenant.id, attempt).await?;
        let several = || ClientAuthenticationError::refused(FederationCheck::Client.reason(), None);
        Ok(found.map(|found| found.client.clone().ok_or_else(several)))
    }

    /// Checks the certificate of the connection for the client that the request names.
    async fn check_certificate(
        &self,
        tenant: &TenantId,
        client_id: &str,
        certificate: &ClientCertificate,
        attempt: &AuthenticationAttempt<'_>,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let id = ClientId::parse(client_id).map_err(|_| malformed())?;
        let found = self.look_up(tenant, &id, attempt).await?;
        let client = may_authenticate(found, Some(Credential::Certificate))?;
        let checked = match (CertificateMethod::from_client(&client), &client.keys, &client.jwks_uri) {
            (CertificateMethod::SelfSigned, None, Some(url)) => {
                let check =
                    |keys: &PublicKeys| check_client_certificate(&client, Some(keys), certificate, now);
                let is_unknown = |failed: &CertificateCheck| *failed == CertificateCheck::Key;
                let checked = self
                    .assertions
                    .key_sets
                    .check_with(tenant, &KeySource::of_client(url), check, is_unknown)
                    .await;
                checked.unwrap_or(Err(CertificateCheck::KeySet))
            }
            (_, keys, _) => {
                check_client_certificate(&client, keys.as_ref().map(ClientKeys::keys), certificate, now)
            }
        };
        match checked {
            Ok((method, credential)) => {
                Ok(AuthenticatedClient { client, proof: Proof::Certificate(method), credential })
            }
            Err(failed) => Err(ClientAuthenticationError::refused(failed.reason(), Some(client))),
        }
    }

    async fn use_up(
        &self,
        client: &Arc<Client>,
        identifier: &SingleUseIdentifier,
        replayed: &'static CredentialReason,
        now: Timestamp,
    ) -> Result<(), ClientAuthenticationError> {
        let used = self.assertions.used.use_up(&client.tenant, &client.id, identifier, now).await;
        used.map_err(|error| match error {
            SingleUseError::Replayed => {
                ClientAuthenticationError::refused(replayed, Some(Arc::clone(client)))
            }
            SingleUseError::ShareUsedUp => ClientAuthenticationError::TooManyAssertions(Arc::clone(client)),
            SingleUseError::Store(error) => error.into(),
        })
    }

    /// First runs the cheap checks of all readings. Password hashes start after the delay of refusals, so
    /// that the duration of the lookup is not visible.
    async fn check_readings(
        &self,
        tenant: &Tenant,
        readings: impl IntoIterator<Item = IdAndSecret>,
        attempt: &mut AuthenticationAttempt<'_>,
        now: Timestamp,
        arrival: Instant,
        purpose: Purpose,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let (mut unhashed, mut refusal) = (Vec::new(), None);
        for reading in readings {
            let checked = match api_key_name(reading.secret.expose()) {
                // Boxed, because otherwise the futures of all other requests would be as large.
                Some(_) => Box::pin(self.check_api_key(tenant, &reading, attempt, now, purpose)).await,
                None => self.check_quickly(&tenant.id, reading, attempt, now).await,
            };
            match checked? {
                Checked::Proven(client) => return Ok(client),
                Checked::Refused(error) => _ = refusal.get_or_insert(error),
                Checked::NeedsHash(reading) => unhashed.push(reading),
            }
        }
        if !unhashed.is_empty() {
            self.until_refusals_leave(arrival).await;
        }
        for reading in unhashed {
            match self.check_slowly(reading, attempt, now).await {
                Err(error) if error.is_refusal() => _ = refusal.get_or_insert(error),
                proven_or_failed => return proven_or_failed,
            }
        }
        Err(refusal.unwrap_or(malformed()))
    }

    /// Checks a text in the format of an API key that is not a secret of the client. The request may omit the
    /// client.
    async fn check_api_key(
        &self,
        tenant: &Tenant,
        IdAndSecret { client_id, secret }: &IdAndSecret,
        attempt: &mut AuthenticationAttempt<'_>,
        now: Timestamp,
        purpose: Purpose,
    ) -> Result<Checked, ClientAuthenticationError> {
        attempt.count_hash();
        let text = secret.expose();
        // The lookups and the check also run at endpoints that do not accept API keys, so that a refusal
        // costs the same.
        let found = self.timed(self.api_keys.find(&tenant.id, text), &tenant.id, attempt).await?;
        let client = match ApiKeys::client_of(found.as_deref(), client_id, text) {
            Some(id) => self.look_up(&tenant.id, &id, attempt).await?,
            None => None,
        };
        let checked = self.api_keys.check(tenant, found.as_deref(), text, now);
        let refused = |reason, ended: Option<Arc<ApiKey>>, client| {
            let ended = ended.map(Proof::ApiKey);
            Ok(Checked::Refused(ClientAuthenticationError::Refused { reason, client, ended, wait: None }))
        };
        if !matches!(purpose, Purpose::Exchange | Purpose::Explain) {
            return refused(methods::api_key::NOT_HERE, None, client);
        }
        if let Err(reason) = checked {
            let ended = found.filter(|_| methods::api_key::has_ended(reason));
            return refused(reason, ended, client);
        }
        let Some(key) = found else { return refused(methods::api_key::UNKNOWN, None, client) };
        if !client_id.is_empty() && *client_id != key.client.as_str() {
            return refused(methods::api_key::OTHER_CLIENT, None, client);
        }
        let client = match may_authenticate(client, Some(Credential::Secret)) {
            Ok(client) => client,
            Err(refusal) => return Ok(Checked::Refused(refusal)),
        };
        let Some(narrowed) = key.narrowed(&client) else {
            return refused(methods::api_key::NOTHING_LEFT, None, Some(client));
        };
        let credential = CredentialTag::of_api_key(&key.tenant, &key.client, &key.id);
        let (client, proof) = (Arc::new(narrowed), Proof::ApiKey(key));
        Ok(Checked::Proven(AuthenticatedClient { client, proof, credential }))
    }

    /// Checks a secret with the cache of verified secrets, or a generated secret with its token hash.
    async fn check_quickly(
        &self,
        tenant: &TenantId,
        IdAndSecret { client_id, secret }: IdAndSecret,
        attempt: &mut AuthenticationAttempt<'_>,
        now: Timestamp,
    ) -> Result<Checked, ClientAuthenticationError> {
        let client = match ClientId::parse(&client_id) {
            Ok(id) => {
                let found = self.look_up(tenant, &id, attempt).await?;
                may_authenticate(found, Some(Credential::Secret))
            }
            Err(_) => Err(malformed()),
        };
        let candidates = Candidates::new(client.as_deref().ok(), now);
        let (work, mut key) = (Work::due_for(&secret, self.samples), None);
        let matching = match work {
            Work::Digest => {
                attempt.count_hash();
                let presented = presented_token(&self.pepper, tenant, &client_id, &secret);
                Some(candidates.matching(&presented).cloned())
            }
            Work::SlowHash => {
                let verified_secrets =
                    *key.insert(self.verified_secrets.key(tenant, &client_id, &secret, candidates));
                self.verified_secrets.find(verified_secrets).map(Ok)
            }
            Work::DummySlowHash | Work::SampleSecret => None,
        };
        Ok(match matching {
            None => Checked::NeedsHash(Unhashed { client, secret, work, key }),
            Some(matching) => match proven(client, matching) {
                Ok(client) => Checked::Proven(client),
                Err(refusal) => Checked::Refused(refusal),
            },
        })
    }

    /// Computes the password hash first, and then decides whether the client may authenticate at all.
    async fn check_slowly(
        &self,
        Unhashed { client, secret, work, key }: Unhashed,
        attempt: &mut AuthenticationAttempt<'_>,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let candidates = Candidates::new(client.as_deref().ok(), now);
        let Some(key) = key else {
            self.hash(dummy_job(), attempt).await?;
            let reason = if work == Work::SampleSecret { secret::SAMPLE } else { secret::WRONG };
            return proven(client, Err((reason, None)));
        };
        let job = HashJob { secret, salt: candidates.salt(), key: Some(key.0), only_if: None };
        let hash = self.hash(job, attempt).await?;
        let matching = candidates.matching(&hash.into()).cloned();
        if let Ok(secret) = &matching {
            self.verified_secrets.insert(attempt.tenant, key, secret.clone());
        }
        proven(client, matching)
    }

    async fn hash(
        &self,
        job: HashJob,
        attempt: &mut AuthenticationAttempt<'_>,
    ) -> Result<SecretHash, ClientAuthenticationError> {
        attempt.count_hash();
        let lane = if attempt.is_over_limit() { Lane::Last } else { Lane::Client };
        let hashed = self.pool.hash(attempt.tenant, job, lane, attempt.source).await;
        hashed.map_err(|_| ClientAuthenticationError::Busy)
    }

    async fn until_refusals_leave(&self, arrival: Instant) {
        let leave = arrival + self.lookup_latency.refusal_delay(self.began.elapsed());
        wait_until(self.precise_timer.as_ref(), leave).await;
    }

    /// Delays the refusal. A refused assertion may have waited for the client's key set, so all refusals of
    /// the tenant take as long.
    async fn until_assertions_leave(&self, tenant: &TenantId, arrival: Instant) {
        sleep_until(arrival + self.assertions.key_sets.refusal_delay(tenant)).await;
    }

    /// Looks up a client. Addresses over their limit share a few concurrent lookups.
    async fn look_up(
        &self,
        tenant: &TenantId,
        id: &ClientId,
        attempt: &AuthenticationAttempt<'_>,
    ) -> Result<Option<Arc<Client>>, ClientAuthenticationError> {
        self.timed(self.find(tenant, id), tenant, attempt).await
    }

    async fn look_up_named(
        &self,
        tenant: &TenantId,
        named: Option<&str>,
        attempt: &AuthenticationAttempt<'_>,
    ) -> Result<Option<Arc<Client>>, ClientAuthenticationError> {
        match named.and_then(|id| ClientId::parse(id).ok()) {
            Some(id) => self.look_up(tenant, &id, attempt).await,
            None => Ok(None),
        }
    }

    /// Runs a lookup, in turn if the address is over its limit, and records its duration.
    async fn timed<T>(
        &self,
        lookup: impl Future<Output = Stored<Option<Arc<T>>>>,
        tenant: &TenantId,
        attempt: &AuthenticationAttempt<'_>,
    ) -> Result<Option<Arc<T>>, ClientAuthenticationError> {
        let _turn = if attempt.is_over_limit() {
            let turn = timeout(HashPool::LONGEST_WAIT, self.lookups_over_limit.take(tenant)).await;
            Some(turn.ok().and_then(Result::ok).ok_or(ClientAuthenticationError::Busy)?)
        } else {
            None
        };
        Ok(self.noted(lookup).await?)
    }

    /// Runs a lookup and records its duration.
    async fn noted<T>(&self, lookup: impl Future<Output = Stored<Option<Arc<T>>>>) -> Stored<Option<Arc<T>>> {
        let mut lookup = pin!(lookup);
        if let Poll::Ready(found) = poll_fn(|context| Poll::Ready(lookup.as_mut().poll(context))).await {
            return found;
        }
        // A cached row is ready at the first poll. This lookup reads the store.
        let begun = Instant::now();
        let found = lookup.await?;
        self.lookup_latency.note(begun.elapsed(), self.began.elapsed());
        Ok(found)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The client authenticates with its own credential.
    Authenticate,
    /// The client authenticates, or one of its API keys does so for the client credentials grant.
    Exchange,
    /// A public client may send its `client_id` alone, because the response gives the client nothing, or
    /// because the client proves possession of something else.
    Identify,
    /// An administrator calls [`Authenticator::explain`]. Assertions are not used up, so the response must
    /// not grant anything.
    Explain,
}

/// The result of the checks that need no password hash.
enum Checked {
    Proven(AuthenticatedClient),
    Refused(ClientAuthenticationError),
    NeedsHash(Unhashed),
}

/// A reading whose secret needs a password hash. `key` is `None` for a dummy hash.
struct Unhashed {
    client: Result<Arc<Client>, ClientAuthenticationError>,
    secret: Secret,
    work: Work,
    key: Option<VerifiedKey>,
}

fn proven(
    client: Result<Arc<Client>, ClientAuthenticationError>,
    matching: Result<SecretId, Mismatch>,
) -> Result<AuthenticatedClient, ClientAuthenticationError> {
    let client = client?;
    match matching {
        Ok(secret) => {
            let credential = CredentialTag::of_secret(&client.tenant, &client.id, &secret);
            Ok(AuthenticatedClient { client, proof: Proof::Secret(secret), credential })
        }
        Err((reason, secret)) => {
            let ended = secret.map(Proof::Secret);
            Err(ClientAuthenticationError::Refused { reason, client: Some(client), ended, wait: None })
        }
    }
}

fn dummy_job() -> HashJob {
    HashJob { secret: Secret::new(String::new()), salt: PasswordSalt::dummy(), key: None, only_if: None }
}

fn malformed() -> ClientAuthenticationError {
    ClientAuthenticationError::refused(methods::MALFORMED, None)
}

/// Checks that the client exists and that its authentication method allows this credential, or the
/// `client_id` alone.
///
/// # Errors
/// The reason. No credential has been checked at this point.
pub fn may_authenticate(
    found: Option<Arc<Client>>,
    presented: Option<Credential>,
) -> Result<Arc<Client>, ClientAuthenticationError> {
    let refused = ClientAuthenticationError::refused;
    let client = found.ok_or(refused(methods::UNKNOWN_CLIENT, None))?;
    match client.status {
        ClientStatus::Suspended => Err(refused(methods::CLIENT_SUSPENDED, Some(client))),
        ClientStatus::Active if client.authentication_method.allows(presented) => Ok(client),
        ClientStatus::Active => Err(refused(methods::METHOD_NOT_REGISTERED, Some(client))),
    }
}
