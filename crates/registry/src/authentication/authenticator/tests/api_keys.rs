//! Tests API keys, and counts lookups and digests.

use secrets::{GeneratedApiKey, hash_api_key};
use tenancy::ApiKeyPolicy;

use super::*;

/// Stores a key of this client and returns its text.
fn add(store: &FakeStore, client: &str, change: impl FnOnce(&mut ApiKey)) -> String {
    let owner = super::client(client);
    let GeneratedApiKey { name, key, hint } = GeneratedApiKey::generate(None);
    let hash = hash_api_key(&pepper(), &owner.tenant, client, key.expose());
    let row = ApiKey::new(&owner, name.parse().unwrap(), hash, hint, Timestamp::from_seconds(0));
    let mut row = ApiKey { expires_at: Timestamp::from_seconds(NOW + 1), ..row };
    change(&mut row);
    store.api_keys.lock().unwrap().insert(row.id.clone(), Arc::new(row));
    key.expose().to_owned()
}

impl TestEnv {
    async fn exchange(&self, tenant: &Tenant, credentials: ClientAuthentication) -> String {
        let (source, now) = (CallerAddress::new(None), Timestamp::from_seconds(NOW));
        match self.authenticator.authenticate(tenant, credentials, Purpose::Exchange, &source, now).await {
            Ok(client) => format!("{} of {}", named(client.proof()), client.client().id),
            Err(error) => error.to_string(),
        }
    }
}

fn offering(id: &str) -> Tenant {
    Tenant { api_keys: Some(ApiKeyPolicy::default()), ..tenant(id) }
}

#[tokio::test]
async fn refused_keys_have_their_reason_without_slow_hash() {
    use methods::api_key;
    let test_env = test_env(clients_of_every_kind());
    let store = &test_env.store;
    let live = add(store, "billing", |_| {});
    let last = if live.ends_with('0') { "1" } else { "0" };
    let ended = Timestamp::from_seconds(NOW);
    let elsewhere = |key: &mut ApiKey| key.audiences = vec!["x".to_owned()];
    for (text, client, expected, lookups) in [
        (live.clone(), "", "key of billing".to_owned(), 2),
        (live.clone(), "billing", "key of billing".to_owned(), 2),
        (live.clone(), "empty", refused(api_key::OTHER_CLIENT), 2),
        (format!("{}{last}", &live[..live.len() - 1]), "", refused(api_key::MALFORMED), 0),
        (GeneratedApiKey::generate(None).key.expose().to_owned(), "", refused(api_key::UNKNOWN), 2),
        (add(store, "billing", |key| key.hash = SecretHash::token([0; 32])), "", refused(api_key::WRONG), 2),
        (add(store, "billing", |key| key.expires_at = ended), "", refused(api_key::EXPIRED), 2),
        (add(store, "billing", |key| key.revoked_at = Some(ended)), "", refused(api_key::REVOKED), 2),
        (add(store, "billing", elsewhere), "", refused(api_key::NOTHING_LEFT), 2),
        (add(store, "suspended", |_| {}), "", refused(methods::CLIENT_SUSPENDED), 2),
        (add(store, "keyed", |_| {}), "", refused(methods::METHOD_NOT_REGISTERED), 2),
        (add(store, "gone", |_| {}), "", refused(methods::UNKNOWN_CLIENT), 2),
    ] {
        let before = store.lookups.load(Ordering::Relaxed);
        assert_eq!(test_env.exchange(&offering("acme"), post(client, &text)).await, expected, "{text}");
        assert_eq!(store.lookups.load(Ordering::Relaxed) - before, lookups, "{expected}");
    }
    assert_eq!(test_env.exchange(&tenant("acme"), post("", &live)).await, refused(api_key::NOT_OFFERED));
    // Other endpoints look up a key too, to name its client in the log.
    let before = store.lookups.load(Ordering::Relaxed);
    test_env.check(post("billing", &live), &refused(api_key::NOT_HERE), 0).await;
    assert_eq!(store.lookups.load(Ordering::Relaxed) - before, 2);
    assert_eq!(test_env.pool.hashes_computed(), 0);
    // A secret without a client is still refused.
    test_env.check(post("", "secret"), &refused(methods::MALFORMED), 1).await;
}

#[tokio::test]
async fn explanation_names_expired_keys_and_records_no_use() {
    let test_env = test_env(vec![client("billing")]);
    let ended = Timestamp::from_seconds(NOW);
    let explain = async |text: &str| {
        let source = CallerAddress::new(None);
        test_env.authenticator.explain(&offering("acme"), post("billing", text), &source, ended).await
    };
    let wrong = |key: &mut ApiKey| {
        key.expires_at = ended;
        key.hash = SecretHash::token([0; 32]);
    };
    for (text, has_key) in [
        (add(&test_env.store, "billing", |key| key.expires_at = ended), true),
        (add(&test_env.store, "billing", |key| key.revoked_at = Some(ended)), true),
        (add(&test_env.store, "billing", wrong), false),
        (GeneratedApiKey::generate(None).key.expose().to_owned(), false),
    ] {
        let found = match explain(&text).await {
            Err(E::Refused { ended: Some(Proof::ApiKey(key)), .. }) => Some(key.id.clone()),
            _ => None,
        };
        assert_eq!(found, ApiKeyId::of_key(&text).filter(|_| has_key), "{text}");
    }
    let live = add(&test_env.store, "billing", |_| {});
    assert!(matches!(explain(&live).await, Ok(Proof::ApiKey(_))));
    assert!(test_env.authenticator.api_keys.last_used.0.drain().is_empty());
}

#[tokio::test]
async fn key_of_another_tenant_is_unknown() {
    for is_faulty in [false, true] {
        let store = FakeStore { is_faulty, ..FakeStore::default() };
        let test_env = over(store, vec![client("billing")], Rate::per_minute(10_000));
        let key = add(&test_env.store, "billing", |_| {});
        let unknown = refused(methods::api_key::UNKNOWN);
        assert_eq!(test_env.exchange(&offering("other"), post("", &key)).await, unknown);
    }
}

#[tokio::test]
async fn use_of_a_key_is_recorded() {
    let test_env = test_env(vec![client("billing")]);
    let key = add(&test_env.store, "billing", |_| {});
    for _ in 0..2 {
        test_env.exchange(&offering("acme"), post("", &key)).await;
    }
    let used = test_env.authenticator.api_keys.last_used.0.drain();
    let [used] = &used[..] else { panic!("{used:?}") };
    assert_eq!((used.owner.0.as_str(), used.at.seconds()), ("acme", NOW));
    assert_eq!(Some(&used.owner.1), ApiKeyId::of_key(&key).as_ref());
}

#[tokio::test(start_paused = true)]
async fn lookups_of_unknown_keys_are_limited_per_tenant() {
    let store = FakeStore { unknown_takes: Duration::from_millis(10), ..FakeStore::default() };
    let test_env = Arc::new(over(store, Vec::new(), Rate::per_minute(1)));
    let guess = |tenant: &'static str| {
        let (test_env, guess) = (Arc::clone(&test_env), GeneratedApiKey::generate(None).key);
        tokio::spawn(async move { test_env.exchange(&offering(tenant), post("", guess.expose())).await })
    };
    for tenant in ["acme", "globex"] {
        guess(tenant).await.unwrap();
    }
    let guesses: Vec<_> = (0..100).map(|_| guess("globex")).collect();
    let_all_go_on().await;
    let (began, of_acme) = (Instant::now(), guess("acme"));
    assert_eq!(of_acme.await.unwrap(), refused_too_often(methods::api_key::UNKNOWN));
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    assert!(test_env.store.most_asking.load(Ordering::Relaxed) <= 3);
    guesses.iter().for_each(tokio::task::JoinHandle::abort);
}
