//! Tests clients with a `jwks_uri`: which keys authenticate them, and what an unauthenticated caller can make
//! the server fetch.

use keys::SigningKey;
use serde_json::json;
use tokio::time::advance;

use super::assertions::{ENDPOINT, assertion, claims, failed, key, with};
use super::*;

const URL: &str = "https://keys.example.com/jwks";

fn published(id: &str) -> Client {
    Client { jwks_uri: Some(URL.to_owned()), ..client(id) }
}

impl TestEnv {
    fn publish(&self, tenant_id: &str, keys: Option<&[&SigningKey]>) {
        let key = (tenant(tenant_id).id, URL.to_owned());
        let mut published = self.store.jwks.lock().unwrap();
        match keys {
            None => _ = published.remove(&key),
            Some(keys) => {
                let jwks: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
                published.insert(key, json!({ "keys": jwks }).to_string());
            }
        }
    }

    fn fetches(&self) -> u64 {
        self.store.fetches.load(Ordering::Relaxed)
    }

    /// Sends an assertion of `billing` and returns the result.
    async fn says(&self, key: &SigningKey, jti: &str) -> String {
        outcome(self.assert(key, &claims("billing", jti)).await)
    }
}

fn outcome(made: Result<AuthenticatedClient, E>) -> String {
    made.map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

// [registration RFC 7591 §2 g]: `jwks_uri` is preferred because it allows easier key rotation: a new key is
//   found by one fetch, and an outage of the URL goes by
#[tokio::test(start_paused = true)]
async fn new_key_is_fetched_once_and_outages_are_survived() {
    let (first, second, third) = (key(1), key(2), key(3));
    let test_env = test_env(vec![published("billing")]);
    let unknown = failed(AssertionCheck::Key);
    test_env.publish("acme", Some(&[&first]));
    assert_eq!(test_env.says(&first, "1").await, "accepted");
    assert_eq!(test_env.says(&first, "2").await, "accepted");
    assert_eq!(test_env.fetches(), 1);

    test_env.publish("acme", Some(&[&first, &second]));
    assert_eq!(test_env.says(&second, "3").await, "accepted", "a new key is found at once");
    assert_eq!(test_env.says(&first, "4").await, "accepted", "and the one before it stays");
    assert_eq!(test_env.fetches(), 2);
    // There was already a fetch in this minute.
    test_env.publish("acme", Some(&[&second, &third]));
    assert_eq!(test_env.says(&third, "5").await, unknown);
    assert_eq!(test_env.fetches(), 2);

    test_env.publish("acme", None);
    advance(Duration::from_secs(61)).await;
    assert_eq!(test_env.says(&third, "6").await, unknown, "the source is away");
    assert_eq!(test_env.says(&second, "7").await, "accepted");
    advance(Duration::from_secs(3_600)).await;
    assert_eq!(test_env.says(&second, "8").await, "accepted", "the set is stale and its source is away");

    test_env.publish("acme", Some(&[&third]));
    advance(Duration::from_secs(61)).await;
    assert_eq!(test_env.says(&third, "9").await, "accepted", "the source is back");
    assert_eq!(test_env.says(&second, "10").await, unknown, "a key that is published no more is dropped");
}

#[tokio::test(start_paused = true)]
async fn missing_key_set_is_refused_like_other_failures() {
    let test_env = test_env(vec![published("billing")]);
    let key = key(1);
    for jti in ["1", "2", "3"] {
        assert_eq!(test_env.says(&key, jti).await, failed(AssertionCheck::KeySet));
    }
    assert_eq!(test_env.fetches(), 1, "a failure is remembered");
    let error = test_env.assert(&key, &claims("billing", "4")).await.unwrap_err();
    assert!(error.is_refusal());
    assert_eq!(error.description(), E::refused(methods::MALFORMED, None).description());
    assert!(test_env.store.used.lock().unwrap().is_empty());
}

// [fetches #9]
/// The keys of two tenants are separate even if both clients have the same URL.
#[tokio::test(start_paused = true)]
async fn published_key_is_valid_for_one_tenant_only() {
    let (of_acme, of_other) = (key(1), key(1));
    let there = Client { tenant: tenant("other").id, ..published("billing") };
    let test_env = test_env(vec![published("billing"), there]);
    test_env.publish("acme", Some(&[&of_acme]));
    test_env.publish("other", Some(&[&of_other]));
    let at_other = ENDPOINT.replace("acme", "other");
    for (nth, (signer, aud, id, expected)) in (0..).zip([
        (&of_acme, ENDPOINT, "acme", Ok(())),
        (&of_acme, at_other.as_str(), "other", Err(AssertionCheck::Signature)),
        (&of_other, at_other.as_str(), "other", Ok(())),
        (&of_other, ENDPOINT, "acme", Err(AssertionCheck::Signature)),
    ]) {
        let claims = with(claims("billing", &format!("{nth}")), "aud", aud);
        let made = test_env.at(id, assertion(None, &signer.sign("JWT", &claims).unwrap()), NOW).await;
        let expected = expected.map_or_else(failed, |()| "accepted".to_owned());
        assert_eq!(outcome(made), expected, "{nth}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_clients_that_may_use_assertions_cause_fetches() {
    let key = key(1);
    let secret_only = ClientAuthenticationMethod::ClientSecret;
    let test_env = test_env(vec![
        Client { status: ClientStatus::Suspended, ..published("suspended") },
        Client { authentication_method: secret_only, ..published("secret") },
        client("keyless"),
    ]);
    for id in ["suspended", "secret", "keyless", "unknown", "", "mal\0formed"] {
        test_env.assert(&key, &claims(id, "1")).await.unwrap_err();
    }
    let named_otherwise = assertion(Some("other"), &key.sign("JWT", &claims("suspended", "1")).unwrap());
    test_env.at("acme", named_otherwise, NOW).await.unwrap_err();
    assert_eq!(test_env.fetches(), 0);
}

// [fetches #7]: many requests in the name of a client, to load the third party or the server | one fetch at a
//   time for a set; one a minute for unknown keys; none for 30 s after a failure
#[tokio::test(start_paused = true)]
async fn unauthenticated_caller_causes_one_fetch_a_minute() {
    let (own, strange) = (key(1), [key(1), key(2), key(3)]);
    let test_env = over(FakeStore::default(), vec![published("billing")], Rate::per_minute(1_000_000));
    test_env.publish("acme", Some(&[&own]));
    for number in 0..600 {
        let claims = claims("billing", &number.to_string());
        test_env.assert(&strange[number % 3], &claims).await.unwrap_err();
        advance(Duration::from_millis(200)).await;
    }
    // Two minutes allow these fetches: one for the set that was never fetched, and one at the beginning of
    // each minute.
    assert!((3..=4).contains(&test_env.fetches()), "{}", test_env.fetches());
    assert_eq!(test_env.says(&own, "own").await, "accepted");
}

// [fetches #10]: measuring which client ids have a key set to fetch | refused assertions of a tenant leave as
//   late as its longest fetch of the last hour; what remains is in decision 32
#[tokio::test(start_paused = true)]
async fn refusals_take_as_long_as_the_longest_fetch() {
    let (own, strange) = (key(1), key(2));
    let store = FakeStore { fetching_takes: Duration::from_millis(400), ..FakeStore::default() };
    let test_env = over(store, vec![published("billing"), client("keyless")], Rate::per_minute(10_000));
    test_env.publish("acme", Some(&[&own]));
    assert_eq!(test_env.says(&own, "1").await, "accepted");
    for (at, id, least) in [
        // This request waits for a fetch. The other requests do not fetch, but take as long.
        ("acme", "billing", 400),
        ("acme", "billing", 400),
        ("acme", "keyless", 400),
        ("acme", "unknown", 400),
        ("other", "billing", 5),
    ] {
        let begun = Instant::now();
        let jwt = strange.sign("JWT", &claims(id, "2")).unwrap();
        test_env.at(at, assertion(None, &jwt), NOW).await.unwrap_err();
        let took = begun.elapsed().as_millis();
        assert!((least..least + 3).contains(&took), "{at}/{id}: {took} ms");
    }
    let begun = Instant::now();
    assert_eq!(test_env.says(&own, "3").await, "accepted");
    assert_eq!(begun.elapsed(), Duration::ZERO, "a good assertion does not wait");
}
