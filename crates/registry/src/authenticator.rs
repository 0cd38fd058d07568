//! From presented credentials to a client that has proven itself (RFC 6749 §2.3). The only place that makes an
//! [`AuthenticatedClient`].
//!
//! Every refusal looks like every other and leaves as long after its arrival, and the presented text alone decides what it costs.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use protocol::{ClientAuthentication, IdAndSecret, Secret, Timestamp};
use tenancy::{StoreError, Tenant, TenantId};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};

use crate::failed_attempts::{Attempt, FailedAttempts};
use crate::hash_pool::LONGEST_WAIT;
use crate::lookup_latency::LookupLatency;
use crate::password_hash::PasswordSalt;
use crate::token_hash::hash_presented;
use crate::verification::{Candidates, Work};
use crate::verified_secret_cache::VerifiedSecretKey;
use crate::{
    Client, ClientAddress, ClientAuthenticationError, ClientId, ClientStatus, ClientStore,
    FailedAttemptsLimit, HashJob, HashPool, Lane, LastUsedSecrets, Pepper, PreciseTimer, SecretHash,
    SecretId, VerifiedSecretCache,
};

/// How many clients are looked up at the same time for sources over their limit, so that those cannot fill the store's readers.
const LOOKUPS_OVER_LIMIT: usize = 2;

/// Authenticates the clients of all tenants.
pub struct Authenticator {
    store: Arc<dyn ClientStore>,
    pepper: Arc<Pepper>,
    pool: Arc<HashPool>,
    verified_secrets: VerifiedSecretCache,
    failed_attempts: FailedAttempts,
    lookups_over_limit: Semaphore,
    began: Instant,
    lookup_latency: LookupLatency,
    precise_timer: Option<PreciseTimer>,
    samples: &'static [&'static str],
    uses: Arc<LastUsedSecrets>,
}

/// A client that has proven itself. Having one is the proof: nothing but [`Authenticator::authenticate`] makes it.
#[derive(Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    secret_id: SecretId,
}

impl AuthenticatedClient {
    /// Who it is.
    #[must_use]
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Which of its secrets it knew.
    #[must_use]
    pub fn secret_id(&self) -> &SecretId {
        &self.secret_id
    }
}

impl Authenticator {
    /// Over a store, which should be a cache: it is asked on every attempt.
    #[must_use]
    pub fn new(
        store: Arc<dyn ClientStore>,
        pepper: Arc<Pepper>,
        pool: Arc<HashPool>,
        verified_secrets: VerifiedSecretCache,
        limit: FailedAttemptsLimit,
    ) -> Self {
        Self {
            store,
            pepper,
            pool,
            verified_secrets,
            failed_attempts: FailedAttempts::new(limit),
            lookups_over_limit: Semaphore::new(LOOKUPS_OVER_LIMIT),
            began: Instant::now(),
            lookup_latency: LookupLatency::new(),
            precise_timer: None,
            samples: &[],
            uses: Arc::default(),
        }
    }

    /// With texts that everyone knows, so that they prove nothing, whoever has one as a secret and however it came to it.
    #[must_use]
    pub fn refusing(self, samples: &'static [&'static str]) -> Self {
        Self { samples, ..self }
    }

    /// With refusals that leave at their instant and not at the next turn of the runtime's timers, which would tell when the lookup
    /// ended. Without it a test's paused clock decides.
    #[must_use]
    pub fn with_refusal_timer(self, timer: PreciseTimer) -> Self {
        Self { precise_timer: Some(timer), ..self }
    }

    /// Checks the credentials of one request as one attempt, however many readings they have.
    ///
    /// # Errors
    /// The refusals of [`ClientAuthenticationError`], and its failures of ours, which count as no attempt.
    pub async fn authenticate(
        &self,
        tenant: &Tenant,
        credentials: ClientAuthentication,
        source: &ClientAddress,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let arrival = Instant::now();
        let mut attempt = self.failed_attempts.begin(&tenant.id, source, now);
        match self.check(&tenant.id, credentials, &mut attempt, now, arrival).await {
            Ok(authenticated) => {
                attempt.forgive();
                let AuthenticatedClient { client, secret_id } = &authenticated;
                self.uses.note(&tenant.id, &client.id, secret_id, source, now);
                Ok(authenticated)
            }
            Err(error) if error.is_refusal() => {
                let refusal = attempt.fail().map_or(error, ClientAuthenticationError::TooManyFailures);
                self.until_refusals_leave(arrival).await;
                Err(refusal)
            }
            Err(error) => {
                attempt.forgive();
                Err(error)
            }
        }
    }

    /// From where secrets were used, for whoever writes it down.
    #[must_use]
    pub fn last_used_secrets(&self) -> &Arc<LastUsedSecrets> {
        &self.uses
    }

    /// An active client of this tenant; a text of the wrong shape asks no store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn find_active(
        &self,
        tenant: &TenantId,
        client: &str,
    ) -> Result<Option<Arc<Client>>, StoreError> {
        let Ok(id) = ClientId::parse(client) else { return Ok(None) };
        let found = self.find(tenant, &id).await?;
        Ok(found.filter(|client| client.status == ClientStatus::Active))
    }

    async fn check(
        &self,
        tenant: &TenantId,
        credentials: ClientAuthentication,
        attempt: &mut Attempt<'_>,
        now: Timestamp,
        arrival: Instant,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let unreadable = match credentials {
            ClientAuthentication::Post(presented) => {
                return self.check_readings(tenant, [presented], attempt, now, arrival).await;
            }
            ClientAuthentication::Basic(readings) if readings.is_empty() => {
                ClientAuthenticationError::Malformed
            }
            ClientAuthentication::Basic(readings) => {
                return self.check_readings(tenant, readings, attempt, now, arrival).await;
            }
            ClientAuthentication::Assertion | ClientAuthentication::None { .. } => {
                ClientAuthenticationError::MethodNotServed
            }
        };
        // It cannot be checked at all, and costs what a wrong secret does.
        self.until_refusals_leave(arrival).await;
        self.hash(dummy_job(), attempt).await?;
        Err(unreadable)
    }

    /// All that costs next to nothing is done first, for every reading. Hashes begin when refusals leave: a moment that does not tell
    /// how long the lookup took.
    async fn check_readings(
        &self,
        tenant: &TenantId,
        readings: impl IntoIterator<Item = IdAndSecret>,
        attempt: &mut Attempt<'_>,
        now: Timestamp,
        arrival: Instant,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let (mut unhashed, mut refusal) = (Vec::new(), None);
        for reading in readings {
            match self.check_quickly(tenant, reading, attempt, now).await? {
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
        Err(refusal.unwrap_or(ClientAuthenticationError::Malformed))
    }

    /// With what is remembered, or with a digest where the secret is a generated one.
    async fn check_quickly(
        &self,
        tenant: &TenantId,
        IdAndSecret { client_id, secret }: IdAndSecret,
        attempt: &mut Attempt<'_>,
        now: Timestamp,
    ) -> Result<Checked, ClientAuthenticationError> {
        let client = match ClientId::parse(&client_id) {
            Ok(id) => may_authenticate(self.look_up(tenant, &id, attempt).await?),
            Err(_) => Err(ClientAuthenticationError::Malformed),
        };
        let candidates = Candidates::of(client.as_deref().ok(), now);
        let (work, mut key) = (Work::due_for(&secret, self.samples), None);
        let matching = match work {
            Work::Digest => {
                attempt.count_hash();
                let presented = hash_presented(&self.pepper, tenant, &client_id, &secret);
                Some(candidates.matching(&presented).cloned())
            }
            Work::SlowHash => {
                let verified_secrets =
                    *key.insert(self.verified_secrets.key(tenant, &client_id, &secret, candidates));
                self.verified_secrets.find(verified_secrets).await.map(Some)
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

    /// The hash is computed before it is said whether the client may authenticate at all.
    async fn check_slowly(
        &self,
        Unhashed { client, secret, work, key }: Unhashed,
        attempt: &mut Attempt<'_>,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let candidates = Candidates::of(client.as_deref().ok(), now);
        let Some(key) = key else {
            self.hash(dummy_job(), attempt).await?;
            let is_sample = work == Work::SampleSecret && client.is_ok();
            return if is_sample {
                Err(ClientAuthenticationError::SampleSecret)
            } else {
                proven(client, None)
            };
        };
        let job = HashJob { secret, salt: candidates.salt(), key: Some(key.of_job()) };
        let hash = self.hash(job, attempt).await?;
        let matching = candidates.matching(&hash).cloned();
        let proven = proven(client, matching)?;
        self.verified_secrets.insert(key, proven.secret_id.clone()).await;
        Ok(proven)
    }

    async fn hash(
        &self,
        job: HashJob,
        attempt: &mut Attempt<'_>,
    ) -> Result<SecretHash, ClientAuthenticationError> {
        attempt.count_hash();
        let lane = if attempt.is_over_limit() { Lane::Last } else { Lane::Client };
        self.pool.hash(job, lane, attempt.source()).await.map_err(|_| ClientAuthenticationError::Busy)
    }

    async fn until_refusals_leave(&self, arrival: Instant) {
        let leave = arrival + self.lookup_latency.refusal_delay(self.began.elapsed());
        match &self.precise_timer {
            Some(timer) => timer.sleep(leave.saturating_duration_since(Instant::now())).await,
            None => sleep_until(leave).await,
        }
    }

    /// Looks a client up for this attempt: one of few at the same time where its source is over the limit.
    async fn look_up(
        &self,
        tenant: &TenantId,
        id: &ClientId,
        attempt: &Attempt<'_>,
    ) -> Result<Option<Arc<Client>>, ClientAuthenticationError> {
        let _turn = if attempt.is_over_limit() {
            let turn = timeout(LONGEST_WAIT, self.lookups_over_limit.acquire()).await;
            Some(turn.map_err(|_elapsed| ClientAuthenticationError::Busy)?)
        } else {
            None
        };
        let mut lookup = pin!(self.find(tenant, id));
        if let Poll::Ready(found) = poll_fn(|context| Poll::Ready(lookup.as_mut().poll(context))).await {
            return Ok(found?);
        }
        // What is in memory is there at once; this has to be waited for.
        let started = Instant::now();
        let found = lookup.await?;
        self.lookup_latency.note(started.elapsed(), self.began.elapsed());
        Ok(found)
    }

    /// What the store has, if it is what was asked for: a store that mixes up tenants must not mix up their clients here.
    async fn find(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        let found = self.store.find_client(tenant, id).await?;
        Ok(found.filter(|client| client.tenant == *tenant && client.id == *id))
    }
}

/// What became of a reading without a slow hash.
enum Checked {
    Proven(AuthenticatedClient),
    Refused(ClientAuthenticationError),
    NeedsHash(Unhashed),
}

/// A reading whose secret needs a slow hash; the key is there when it is a real one.
struct Unhashed {
    client: Result<Arc<Client>, ClientAuthenticationError>,
    secret: Secret,
    work: Work,
    key: Option<VerifiedSecretKey>,
}

fn proven(
    client: Result<Arc<Client>, ClientAuthenticationError>,
    matching: Option<SecretId>,
) -> Result<AuthenticatedClient, ClientAuthenticationError> {
    let client = client?;
    let secret_id = matching.ok_or(ClientAuthenticationError::SecretMismatch)?;
    Ok(AuthenticatedClient { client, secret_id })
}

fn dummy_job() -> HashJob {
    HashJob { secret: Secret::new(String::new()), salt: PasswordSalt::dummy(), key: None }
}

fn may_authenticate(found: Option<Arc<Client>>) -> Result<Arc<Client>, ClientAuthenticationError> {
    let client = found.ok_or(ClientAuthenticationError::UnknownClient)?;
    match client.status {
        ClientStatus::Suspended => Err(ClientAuthenticationError::ClientSuspended),
        ClientStatus::Active if client.authentication_method.allows_secret() => Ok(client),
        ClientStatus::Active => Err(ClientAuthenticationError::MethodNotAllowed),
    }
}
