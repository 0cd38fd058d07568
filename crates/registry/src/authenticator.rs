//! From presented credentials to a client that has proven itself (RFC 6749 §2.3). The only place that makes an
//! [`AuthenticatedClient`].
//!
//! Every refusal looks like every other, and the presented text alone decides what it costs.

use std::sync::Arc;

use protocol::{ClientAuthentication, IdAndSecret, Secret, Timestamp};
use tenancy::{StoreError, Tenant, TenantId};

use crate::chosen_hash::ChosenSalt;
use crate::failed_attempts::{Attempt, FailedAttempts};
use crate::generated_hash::hash_presented;
use crate::remembered::CheckFailed;
use crate::verification::{Candidates, Work};
use crate::{
    Client, ClientAuthenticationError, ClientId, ClientStatus, ClientStore, FailedAttemptsLimit, HashJob,
    HashPool, Pepper, RememberedSecrets, SecretId, Source,
};

/// Authenticates the clients of all tenants.
pub struct Authenticator {
    store: Arc<dyn ClientStore>,
    pepper: Pepper,
    pool: Arc<HashPool>,
    remembered: RememberedSecrets,
    failed_attempts: FailedAttempts,
}

/// A client that has proven itself. Having one is the proof: nothing but [`Authenticator::authenticate`] makes it.
#[derive(Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    secret: SecretId,
}

impl AuthenticatedClient {
    /// Who it is.
    #[must_use]
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Which of its secrets it knew.
    #[must_use]
    pub fn secret(&self) -> &SecretId {
        &self.secret
    }
}

impl Authenticator {
    /// Over a store, which should be a cache: it is asked on every attempt.
    #[must_use]
    pub fn new(
        store: Arc<dyn ClientStore>,
        pepper: Pepper,
        pool: Arc<HashPool>,
        remembered: RememberedSecrets,
        limit: FailedAttemptsLimit,
    ) -> Self {
        Self { store, pepper, pool, remembered, failed_attempts: FailedAttempts::new(limit) }
    }

    /// Checks the credentials of one request as one attempt, however many readings they have.
    ///
    /// # Errors
    /// The refusals of [`ClientAuthenticationError`], and its failures of ours, which count as no attempt.
    pub async fn authenticate(
        &self,
        tenant: &Tenant,
        credentials: ClientAuthentication,
        source: &Source,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let mut attempt = self.failed_attempts.begin(&tenant.id, source, now);
        let outcome = self.check(&tenant.id, credentials, &mut attempt, now).await;
        match &outcome {
            Err(error) if error.is_refusal() => attempt.failed().await,
            Ok(_) | Err(_) => attempt.forgiven(),
        }
        outcome
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
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        match credentials {
            ClientAuthentication::Post(presented) => {
                self.check_reading(tenant, presented, attempt, now).await
            }
            ClientAuthentication::Basic(readings) if readings.is_empty() => {
                self.spend_one_hash(attempt).await?;
                Err(ClientAuthenticationError::Malformed)
            }
            ClientAuthentication::Basic(readings) => {
                let mut first_refusal = None;
                for reading in readings {
                    match self.check_reading(tenant, reading, attempt, now).await {
                        Err(error) if error.is_refusal() => _ = first_refusal.get_or_insert(error),
                        proven_or_failed => return proven_or_failed,
                    }
                }
                Err(first_refusal.unwrap_or(ClientAuthenticationError::Malformed))
            }
            ClientAuthentication::Assertion | ClientAuthentication::None { .. } => {
                self.spend_one_hash(attempt).await?;
                Err(ClientAuthenticationError::MethodNotServed)
            }
        }
    }

    /// The work is done before it is said whether the client may authenticate at all.
    async fn check_reading(
        &self,
        tenant: &TenantId,
        IdAndSecret { client_id, secret }: IdAndSecret,
        attempt: &mut Attempt<'_>,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let client = match ClientId::parse(&client_id) {
            Ok(id) => may_authenticate(self.find(tenant, &id).await?),
            Err(_) => Err(ClientAuthenticationError::Malformed),
        };
        let candidates = Candidates::of(client.as_deref().ok(), now);
        let matching = match Work::due_for(&secret) {
            Work::Digest => {
                let presented = hash_presented(&self.pepper, tenant, &client_id, &secret);
                candidates.matching(&presented).cloned()
            }
            Work::SlowHash => self.check_chosen(tenant, &client_id, secret, candidates, attempt).await?,
            Work::DummySlowHash => {
                self.spend_one_hash(attempt).await?;
                None
            }
        };
        let client = client?;
        let secret = matching.ok_or(ClientAuthenticationError::SecretMismatch)?;
        Ok(AuthenticatedClient { client, secret })
    }

    async fn check_chosen(
        &self,
        tenant: &TenantId,
        client_id: &str,
        secret: Secret,
        candidates: Candidates<'_>,
        attempt: &mut Attempt<'_>,
    ) -> Result<Option<SecretId>, ClientAuthenticationError> {
        let key = self.remembered.key(tenant, client_id, &secret, candidates);
        if let Some(known) = self.remembered.find(key).await {
            return Ok(Some(known));
        }
        let lane = attempt.lane().await;
        let check = async {
            let hash = self.pool.hash(HashJob { secret, salt: candidates.salt() }, lane).await?;
            candidates.matching(&hash).cloned().ok_or(CheckFailed::Mismatch)
        };
        match self.remembered.first_check(key, lane, check).await {
            Ok(secret) => Ok(Some(secret)),
            Err(CheckFailed::Mismatch) => Ok(None),
            Err(CheckFailed::Busy) => Err(ClientAuthenticationError::Busy),
        }
    }

    /// For what cannot be checked at all, so that it costs what a wrong secret does.
    async fn spend_one_hash(&self, attempt: &mut Attempt<'_>) -> Result<(), ClientAuthenticationError> {
        let job = HashJob { secret: Secret::new(String::new()), salt: ChosenSalt::dummy() };
        let lane = attempt.lane().await;
        self.pool.hash(job, lane).await.map(drop).map_err(|_| ClientAuthenticationError::Busy)
    }

    /// What the store has, if it is what was asked for: a store that mixes up tenants must not mix up their clients here.
    async fn find(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        let found = self.store.find_client(tenant, id).await?;
        Ok(found.filter(|client| client.tenant == *tenant && client.id == *id))
    }
}

fn may_authenticate(found: Option<Arc<Client>>) -> Result<Arc<Client>, ClientAuthenticationError> {
    let client = found.ok_or(ClientAuthenticationError::UnknownClient)?;
    match client.status {
        ClientStatus::Suspended => Err(ClientAuthenticationError::ClientSuspended),
        ClientStatus::Active if client.authentication_method.allows_secret() => Ok(client),
        ClientStatus::Active => Err(ClientAuthenticationError::MethodNotAllowed),
    }
}

#[cfg(test)]
mod tests;
