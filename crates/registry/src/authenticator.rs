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
    HashPool, Pepper, RememberedSecrets, SecretId, SecretUses, Source,
};

/// Authenticates the clients of all tenants.
pub struct Authenticator {
    store: Arc<dyn ClientStore>,
    pepper: Arc<Pepper>,
    pool: Arc<HashPool>,
    remembered: RememberedSecrets,
    failed_attempts: FailedAttempts,
    samples: &'static [&'static str],
    uses: Arc<SecretUses>,
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
        remembered: RememberedSecrets,
        limit: FailedAttemptsLimit,
    ) -> Self {
        let (failed_attempts, uses) = (FailedAttempts::new(limit), Arc::default());
        Self { store, pepper, pool, remembered, failed_attempts, samples: &[], uses }
    }

    /// With texts that everyone knows, so that they prove nothing, whoever has one as a secret and however it came to it.
    #[must_use]
    pub fn refusing(self, samples: &'static [&'static str]) -> Self {
        Self { samples, ..self }
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
        let attempt = self.failed_attempts.begin(&tenant.id, source, now);
        let outcome = self.check(&tenant.id, credentials, &attempt, now).await;
        match &outcome {
            Err(error) if error.is_refusal() => drop(attempt),
            Err(_) => attempt.forgive(),
            Ok(AuthenticatedClient { client, secret_id }) => {
                attempt.forgive();
                self.uses.note(&tenant.id, &client.id, secret_id, source, now);
            }
        }
        outcome
    }

    /// From where secrets were used, for whoever writes it down.
    #[must_use]
    pub fn secret_uses(&self) -> &Arc<SecretUses> {
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
        attempt: &Attempt<'_>,
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
        attempt: &Attempt<'_>,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, ClientAuthenticationError> {
        let client = match ClientId::parse(&client_id) {
            Ok(id) => may_authenticate(self.find(tenant, &id).await?),
            Err(_) => Err(ClientAuthenticationError::Malformed),
        };
        let candidates = Candidates::of(client.as_deref().ok(), now);
        let matching = match Work::due_for(&secret, self.samples) {
            Work::Digest => {
                let presented = hash_presented(&self.pepper, tenant, &client_id, &secret);
                candidates.matching(&presented).cloned()
            }
            Work::SlowHash => self.check_chosen(tenant, &client_id, secret, candidates, attempt).await?,
            Work::DummySlowHash => {
                self.spend_one_hash(attempt).await?;
                None
            }
            Work::SampleSecret => {
                self.spend_one_hash(attempt).await?;
                return Err(client.err().unwrap_or(ClientAuthenticationError::SampleSecret));
            }
        };
        let client = client?;
        let secret_id = matching.ok_or(ClientAuthenticationError::SecretMismatch)?;
        Ok(AuthenticatedClient { client, secret_id })
    }

    async fn check_chosen(
        &self,
        tenant: &TenantId,
        client_id: &str,
        secret: Secret,
        candidates: Candidates<'_>,
        attempt: &Attempt<'_>,
    ) -> Result<Option<SecretId>, ClientAuthenticationError> {
        let key = self.remembered.key(tenant, client_id, &secret, candidates);
        if let Some(known) = self.remembered.find(key).await {
            return Ok(Some(known));
        }
        let lane = attempt.lane();
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
    async fn spend_one_hash(&self, attempt: &Attempt<'_>) -> Result<(), ClientAuthenticationError> {
        let job = HashJob { secret: Secret::new(String::new()), salt: ChosenSalt::dummy() };
        let lane = attempt.lane();
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
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use protocol::{ClientAuthenticationMethod, Lifetime, Scope};
    use tenancy::{AccessTokenPolicy, Issuer, SigningPolicy, Strategies, TenantStatus};
    use zeroize::Zeroizing;

    use super::*;
    use crate::chosen_hash::hash_chosen;
    use crate::generated_hash::hash_generated;
    use crate::{ClientSecret, GeneratedSecret, IntrospectionRight, SecretHash};

    use ClientAuthenticationError as E;

    const CHOSEN: &str = "your-client-secret";
    const NOW: u64 = 1_000;

    /// Answers by identifier alone where it is faulty, as if it had lost the tenant from a cache key.
    #[derive(Default)]
    struct FakeStore {
        clients: Mutex<HashMap<(String, String), Arc<Client>>>,
        is_faulty: bool,
        failure: Option<StoreError>,
        asked: AtomicU64,
    }

    #[async_trait]
    impl ClientStore for FakeStore {
        async fn find_client(
            &self,
            tenant: &TenantId,
            client: &ClientId,
        ) -> Result<Option<Arc<Client>>, StoreError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if let Some(failure) = &self.failure {
                return Err(failure.clone());
            }
            let clients = self.clients.lock().unwrap();
            let found = clients
                .iter()
                .find(|((of, id), _)| id == client.as_str() && (self.is_faulty || of == tenant.as_str()));
            Ok(found.map(|(_, client)| Arc::clone(client)))
        }
    }

    struct House {
        store: Arc<FakeStore>,
        pool: Arc<HashPool>,
        authenticator: Authenticator,
    }

    fn pepper() -> Pepper {
        Pepper::from_bytes(Zeroizing::new([1; 32]))
    }

    fn generated(byte: u8) -> Secret {
        GeneratedSecret::from_bytes(&[byte; 32]).secret
    }

    fn tenant(id: &str) -> Tenant {
        Tenant {
            id: TenantId::parse(id).unwrap(),
            name: id.to_owned(),
            issuer: Issuer::parse(id).unwrap(),
            issuer_aliases: Vec::new(),
            status: TenantStatus::Active,
            strategies: Strategies::default(),
            stale_if_error: Lifetime::from_seconds(0),
            signing: SigningPolicy::default(),
            access_token: AccessTokenPolicy::default(),
            resource_servers: Vec::new(),
        }
    }

    fn secret(id: &str, hash: SecretHash) -> ClientSecret {
        ClientSecret {
            id: SecretId::new(id),
            hash,
            hint: String::new(),
            created_at: Timestamp::from_seconds(0),
            expires_at: None,
            revoked_at: None,
        }
    }

    /// With a generated secret of byte 1 and the chosen one.
    fn client(id: &str) -> Client {
        let (tenant, id) = (TenantId::parse("acme").unwrap(), ClientId::parse(id).unwrap());
        let chosen = hash_chosen(&Secret::new(CHOSEN.to_owned()), &ChosenSalt::generate()).unwrap();
        let generated = hash_generated(&pepper(), &tenant, &id, &generated(1));
        Client {
            tenant,
            id,
            name: String::new(),
            status: ClientStatus::Active,
            authentication_method: ClientAuthenticationMethod::Any,
            grant_types: Vec::new(),
            audiences: Vec::new(),
            resources: Vec::new(),
            scope: Scope::default(),
            access_token_lifetime: None,
            issuer: None,
            introspection: IntrospectionRight::Own,
            secrets: vec![secret("generated", generated), secret("chosen", chosen)],
        }
    }

    fn house(clients: Vec<Client>) -> House {
        over(FakeStore::default(), clients, FailedAttemptsLimit::default())
    }

    fn over(store: FakeStore, clients: Vec<Client>, limit: FailedAttemptsLimit) -> House {
        let house = waiting(store, clients, limit);
        house.pool.add_thread().unwrap();
        house
    }

    /// Nothing is hashed until the test gives the pool a thread.
    fn waiting(store: FakeStore, clients: Vec<Client>, limit: FailedAttemptsLimit) -> House {
        let store = Arc::new(store);
        for client in clients {
            put(&store, client);
        }
        let pool = Arc::new(HashPool::without_threads());
        let remembered = RememberedSecrets::with_key(&[2; 32]);
        let (asked, hashing) = (Arc::<FakeStore>::clone(&store), Arc::clone(&pool));
        let authenticator = Authenticator::new(asked, Arc::new(pepper()), hashing, remembered, limit);
        House { store, pool, authenticator }
    }

    /// One runtime thread polls in turn, so after this every spawned check waits for its hash.
    async fn until_all_wait() {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    }

    fn put(store: &FakeStore, client: Client) {
        let key = (client.tenant.to_string(), client.id.to_string());
        store.clients.lock().unwrap().insert(key, Arc::new(client));
    }

    fn pair(id: &str, secret: &str) -> IdAndSecret {
        IdAndSecret { client_id: id.to_owned(), secret: Secret::new(secret.to_owned()) }
    }

    fn post(id: &str, secret: &str) -> ClientAuthentication {
        ClientAuthentication::Post(pair(id, secret))
    }

    fn basic(readings: &[(&str, &str)]) -> ClientAuthentication {
        ClientAuthentication::Basic(readings.iter().map(|(id, secret)| pair(id, secret)).collect())
    }

    impl House {
        async fn at(
            &self,
            id: &str,
            credentials: ClientAuthentication,
            now: u64,
        ) -> Result<AuthenticatedClient, E> {
            let source = Source::new(Some([192, 0, 2, 1].into()));
            self.authenticator
                .authenticate(&tenant(id), credentials, &source, Timestamp::from_seconds(now))
                .await
        }

        /// What came of it, as the identifier of the secret or the text for the log, and how many hashes it took.
        async fn outcome(&self, credentials: ClientAuthentication) -> (String, u64) {
            self.outcome_at("acme", credentials, NOW).await
        }

        async fn outcome_at(&self, id: &str, credentials: ClientAuthentication, now: u64) -> (String, u64) {
            let before = self.pool.hashes_computed();
            let outcome = match self.at(id, credentials, now).await {
                Ok(authenticated) => authenticated.secret_id().to_string(),
                Err(error) => error.to_string(),
            };
            (outcome, self.pool.hashes_computed() - before)
        }

        async fn check(&self, credentials: ClientAuthentication, expected: &str, hashes: u64) {
            assert_eq!(self.outcome(credentials).await, (expected.to_owned(), hashes));
        }
    }

    fn clients_of_every_kind() -> Vec<Client> {
        let suspended = Client { status: ClientStatus::Suspended, ..client("suspended") };
        let keyed =
            Client { authentication_method: ClientAuthenticationMethod::PrivateKeyJwt, ..client("keyed") };
        let empty = Client { secrets: Vec::new(), ..client("empty") };
        let mut expired = client("expired");
        for secret in &mut expired.secrets {
            secret.expires_at = Some(Timestamp::from_seconds(NOW));
        }
        vec![client("billing"), suspended, keyed, empty, expired]
    }

    #[tokio::test]
    async fn the_right_secret_authenticates_and_a_chosen_one_is_hashed_once() {
        let house = house(vec![client("billing")]);
        house.check(post("billing", generated(1).expose()), "generated", 0).await;
        house.check(post("billing", CHOSEN), "chosen", 1).await;
        house.check(post("billing", CHOSEN), "chosen", 0).await;
        house.check(basic(&[("billing", CHOSEN)]), "chosen", 0).await;
        let authenticated = house.at("acme", post("billing", CHOSEN), NOW).await.unwrap();
        assert_eq!(authenticated.client().id.as_str(), "billing");
    }

    #[tokio::test]
    async fn whatever_is_wrong_with_a_client_costs_the_same() {
        let house = house(clients_of_every_kind());
        for (id, expected) in [
            ("billing", E::SecretMismatch),
            ("unknown", E::UnknownClient),
            ("suspended", E::ClientSuspended),
            ("keyed", E::MethodNotAllowed),
            ("empty", E::SecretMismatch),
            ("expired", E::SecretMismatch),
            ("mal\0formed", E::Malformed),
            ("", E::Malformed),
        ] {
            let wrong = if id == "billing" { "wrong" } else { CHOSEN };
            for _ in 0..2 {
                house.check(post(id, wrong), &expected.to_string(), 1).await;
            }
            let wrong = generated(if id == "billing" { 2 } else { 1 });
            house.check(post(id, wrong.expose()), &expected.to_string(), 0).await;
            house.check(post(id, &"a".repeat(1025)), &expected.to_string(), 1).await;
            house.check(post(id, "a\nb"), &expected.to_string(), 1).await;
            house.check(basic(&[(id, "a b"), (id, "a+b")]), &expected.to_string(), 2).await;
        }
    }

    #[tokio::test]
    async fn what_is_not_served_costs_what_a_wrong_secret_does() {
        let house = house(vec![client("billing")]);
        house.check(ClientAuthentication::Assertion, &E::MethodNotServed.to_string(), 1).await;
        for id in ["billing", "unknown"] {
            let public = ClientAuthentication::None { client_id: id.to_owned() };
            house.check(public, &E::MethodNotServed.to_string(), 1).await;
        }
        house.check(basic(&[]), &E::Malformed.to_string(), 1).await;
    }

    #[tokio::test]
    async fn the_second_reading_of_a_header_may_be_the_right_one() {
        let house = house(vec![client("a+b")]);
        house.check(basic(&[("a b", CHOSEN), ("a+b", CHOSEN)]), "chosen", 2).await;
        house.check(basic(&[("a+b", CHOSEN), ("a b", CHOSEN)]), "chosen", 0).await;
    }

    #[tokio::test]
    async fn a_hundred_first_checks_at_once_compute_one_hash() {
        for (id, presented, authenticated) in
            [("billing", CHOSEN, true), ("billing", "wrong", false), ("unknown", CHOSEN, false)]
        {
            let house =
                waiting(FakeStore::default(), vec![client("billing")], FailedAttemptsLimit::default());
            let house = Arc::new(house);
            let checks: Vec<_> = (0..100)
                .map(|_| {
                    let house = Arc::clone(&house);
                    tokio::spawn(async move { house.at("acme", post(id, presented), NOW).await.is_ok() })
                })
                .collect();
            until_all_wait().await;
            house.pool.add_thread().unwrap();
            for check in checks {
                assert_eq!(check.await.unwrap(), authenticated);
            }
            assert_eq!(house.pool.hashes_computed(), 1, "{id} {presented}");
        }
    }

    #[tokio::test]
    async fn a_source_over_the_limit_fills_only_the_low_lane() {
        let limit = FailedAttemptsLimit { count: 1, per: Lifetime::from_seconds(60) };
        let house = Arc::new(waiting(FakeStore::default(), vec![client("billing")], limit));
        house.check(post("billing", generated(2).expose()), &E::SecretMismatch.to_string(), 0).await;
        let attempts: Vec<_> = (0..256)
            .map(|number| {
                let house = Arc::clone(&house);
                tokio::spawn(async move { house.at("acme", post("billing", &number.to_string()), NOW).await })
            })
            .collect();
        until_all_wait().await;
        house.check(post("billing", CHOSEN), &E::Busy.to_string(), 0).await;

        let served = Arc::clone(&house);
        let served = tokio::spawn(async move {
            let other = Source::new(Some([192, 0, 2, 2].into()));
            let now = Timestamp::from_seconds(NOW);
            served.authenticator.authenticate(&tenant("acme"), post("billing", CHOSEN), &other, now).await
        });
        until_all_wait().await;
        house.pool.add_thread().unwrap();
        assert_eq!(served.await.unwrap().unwrap().secret_id().as_str(), "chosen");
        assert!(house.pool.hashes_computed() < 100, "it did not wait behind the low lane");
        assert!(house.at("acme", post("billing", CHOSEN), NOW).await.is_ok(), "it is remembered for both");
        attempts.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn a_remembered_secret_is_forgotten_when_it_ends() {
        let house = house(vec![client("billing")]);
        house.check(post("billing", CHOSEN), "chosen", 1).await;
        let mut ending = client("billing");
        ending.secrets = house.store.clients.lock().unwrap().values().next().unwrap().secrets.clone();
        ending.secrets[0].revoked_at = Some(Timestamp::from_seconds(NOW));
        ending.secrets[1].expires_at = Some(Timestamp::from_seconds(NOW + 1));
        put(&house.store, ending.clone());
        house.check(post("billing", CHOSEN), "chosen", 0).await;
        house.check(post("billing", generated(1).expose()), &E::SecretMismatch.to_string(), 0).await;
        let after = house.outcome_at("acme", post("billing", CHOSEN), NOW + 1).await;
        assert_eq!(after, (E::SecretMismatch.to_string(), 1));
        ending.status = ClientStatus::Suspended;
        put(&house.store, ending);
        house.check(post("billing", CHOSEN), &E::ClientSuspended.to_string(), 1).await;
    }

    #[tokio::test]
    async fn a_sample_secret_that_a_client_really_has_is_wrong_and_costs_what_a_wrong_one_does() {
        let mut house = house(clients_of_every_kind());
        house.check(post("billing", CHOSEN), "chosen", 1).await;
        house.authenticator = house.authenticator.refusing(&["another", CHOSEN]);
        for (id, expected) in
            [("billing", E::SampleSecret), ("unknown", E::UnknownClient), ("", E::Malformed)]
        {
            for _ in 0..2 {
                house.check(post(id, CHOSEN), &expected.to_string(), 1).await;
            }
        }
        house.check(basic(&[("billing", CHOSEN)]), &E::SampleSecret.to_string(), 1).await;
        house.check(post("billing", "wrong"), &E::SecretMismatch.to_string(), 1).await;
        house.check(post("billing", generated(1).expose()), "generated", 0).await;
    }

    #[tokio::test]
    async fn two_live_secrets_of_a_client_both_authenticate_at_one_hash_each() {
        let mut billing = client("billing");
        let salt = ChosenSalt::generate();
        billing.secrets = ["old", "new"]
            .map(|id| secret(id, hash_chosen(&Secret::new(format!("{id} secret")), &salt).unwrap()))
            .into();
        let house = house(vec![billing]);
        for id in ["old", "new"] {
            house.check(post("billing", &format!("{id} secret")), id, 1).await;
            house.check(post("billing", &format!("{id} secret")), id, 0).await;
        }
    }

    #[tokio::test]
    async fn a_row_copied_to_another_client_authenticates_nobody() {
        let copied = Client { id: ClientId::parse("copy").unwrap(), ..client("billing") };
        let house = house(vec![copied]);
        house.check(post("copy", generated(1).expose()), &E::SecretMismatch.to_string(), 0).await;
    }

    #[tokio::test]
    async fn another_tenants_client_is_unknown_even_where_the_store_mixes_them_up() {
        let store = FakeStore { is_faulty: true, ..FakeStore::default() };
        let house = over(store, vec![client("billing")], FailedAttemptsLimit::default());
        let outcome = house.outcome_at("other", post("billing", CHOSEN), NOW).await;
        assert_eq!(outcome, (E::UnknownClient.to_string(), 1));
        let other = TenantId::parse("other").unwrap();
        assert!(house.authenticator.find_active(&other, "billing").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn only_active_clients_are_found_and_malformed_identifiers_ask_no_store() {
        let house = house(clients_of_every_kind());
        let acme = TenantId::parse("acme").unwrap();
        for (id, found) in [("billing", true), ("suspended", false), ("unknown", false), ("a\0", false)] {
            assert_eq!(house.authenticator.find_active(&acme, id).await.unwrap().is_some(), found, "{id}");
        }
        let asked = house.store.asked.load(Ordering::Relaxed);
        house.check(post("a\0", CHOSEN), &E::Malformed.to_string(), 1).await;
        assert_eq!(house.store.asked.load(Ordering::Relaxed), asked);
        assert_eq!(asked, 3);
    }

    #[tokio::test]
    async fn only_a_secret_that_was_right_is_noted_as_used_and_in_its_own_tenant() {
        let globex = Client { tenant: TenantId::parse("globex").unwrap(), ..client("web") };
        let house = house(vec![client("web"), globex]);
        for (id, credentials, now) in [
            ("acme", post("web", CHOSEN), NOW),
            ("acme", post("web", CHOSEN), NOW + 7),
            ("acme", basic(&[("web", "wrong"), ("web", generated(1).expose())]), NOW),
            ("acme", post("web", generated(2).expose()), NOW + 9),
            ("acme", post("nobody", CHOSEN), NOW + 9),
            // Its hash was made for acme's.
            ("globex", post("web", generated(1).expose()), NOW + 9),
        ] {
            drop(house.at(id, credentials, now).await);
        }
        let uses = house.authenticator.secret_uses().drain().into_iter().map(|used| {
            let whose = format!("{}/{}/{}", used.tenant, used.client, used.secret);
            (whose, used.source.to_string(), used.at.seconds())
        });
        let expected = [("acme/web/chosen", NOW + 7), ("acme/web/generated", NOW)]
            .map(|(whose, at)| (whose.to_owned(), "192.0.2.1".to_owned(), at));
        assert_eq!(uses.collect::<Vec<_>>(), expected);
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_no_refusal() {
        let failure = Some(StoreError::unavailable("down"));
        let store = FakeStore { failure, ..FakeStore::default() };
        let house = over(store, Vec::new(), FailedAttemptsLimit::default());
        house.check(basic(&[("a b", "x"), ("a+b", "x")]), "the store is unavailable", 0).await;
    }

    #[tokio::test]
    async fn over_the_limit_a_source_waits_but_is_still_served() {
        let limit = FailedAttemptsLimit { count: 2, per: Lifetime::from_seconds(60) };
        let house = over(FakeStore::default(), vec![client("billing")], limit);
        for _ in 0..3 {
            house.check(post("unknown", "wrong"), &E::UnknownClient.to_string(), 1).await;
        }
        house.check(post("billing", CHOSEN), "chosen", 1).await;
        house.check(post("billing", CHOSEN), "chosen", 0).await;
    }
}
