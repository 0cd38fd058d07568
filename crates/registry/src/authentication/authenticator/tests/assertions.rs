//! Tests which clients authenticate with an assertion, and that each assertion works once.

use keys::{KeyId, PrivateKeyDocument, SigningKey};
use protocol::{AssertionKind, PresentedAssertion, SigningAlgorithm};
use serde_json::{Value, json};

use super::*;
use crate::ClientKeys;

pub(super) const ENDPOINT: &str = "https://id.example.com/api/v1/tenant/acme/oauth/token";

pub(super) fn key(number: u32) -> SigningKey {
    let algorithm = SigningAlgorithm::ES256;
    let document = PrivateKeyDocument::generate(algorithm).unwrap();
    SigningKey::parse(KeyId::numbered(number), algorithm, document.expose()).unwrap()
}

/// A client that can authenticate with a secret or with one of these keys.
pub(super) fn client_with(id: &str, keys: &[&SigningKey]) -> Client {
    let jwks: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
    let keys = ClientKeys::parse(&json!({ "keys": jwks }).to_string()).unwrap();
    Client { keys: Some(keys), ..client(id) }
}

pub(super) fn claims(id: &str, jti: &str) -> Value {
    json!({ "iss": id, "sub": id, "aud": ENDPOINT, "exp": NOW + 60, "jti": jti })
}

pub(super) fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

pub(super) fn assertion(client_id: Option<&str>, jwt: &str) -> ClientAuthentication {
    of_kind(AssertionKind::Jwt, client_id, jwt)
}

pub(super) fn of_kind(kind: AssertionKind, client_id: Option<&str>, jwt: &str) -> ClientAuthentication {
    let (client_id, jwt) = (client_id.map(str::to_owned), Some(Secret::new(jwt.to_owned())));
    ClientAuthentication::Assertion(PresentedAssertion { client_id, jwt, kind })
}

impl TestEnv {
    pub(super) async fn assert(&self, key: &SigningKey, claims: &Value) -> Result<AuthenticatedClient, E> {
        self.at("acme", assertion(None, &key.sign("JWT", claims).unwrap()), NOW).await
    }
}

pub(super) fn failed(check: AssertionCheck) -> String {
    refused(check.reason())
}

// [assertions RFC 7521 §4.2 c]: `client_id` may be left out; if it is there, it is the assertion's subject
// [rfc9700 §2.5 b]: By asymmetric means, such as `private_key_jwt` or mutual TLS | A client with `jwks` or
//   `jwks_uri` authenticates with a signed assertion, each of which is accepted once at all replicas. A
//   client with a certificate authenticates by mutual TLS
#[tokio::test]
async fn an_assertion_authenticates_its_subject_once() {
    let key = key(1);
    let test_env = test_env(vec![client_with("billing", &[&key])]);
    for (jti, client_id, expected) in [
        ("1", None, Ok(())),
        ("1", None, Err(failed(AssertionCheck::Replay))),
        ("2", Some("billing"), Ok(())),
        ("2", Some("billing"), Err(failed(AssertionCheck::Replay))),
        ("3", Some("other"), Err(refused(methods::MALFORMED))),
        ("3", None, Ok(())),
    ] {
        let jwt = key.sign("JWT", &claims("billing", jti)).unwrap();
        let authenticated = test_env.at("acme", assertion(client_id, &jwt), NOW).await;
        let outcome = authenticated.map(|authenticated| {
            let found = (authenticated.client().id.as_str(), authenticated.proof());
            assert_eq!(found, ("billing", &Proof::Assertion));
        });
        assert_eq!(outcome.map_err(|error| error.to_string()), expected, "{jti} {client_id:?}");
    }
    assert_eq!(test_env.pool.hashes_computed(), 0);
    // The client's secret stays valid, so that the client can migrate to assertions.
    test_env.check(post("billing", generated(1).expose()), "generated", 0).await;
}

// [assertions RFC 7523 §3 b]: `aud` names the issuer or the token endpoint, compared exactly; an alias of the
//   issuer does not count
#[tokio::test]
async fn only_issuer_and_token_endpoints_are_audiences() {
    let key = key(1);
    let test_env = test_env(vec![client_with("billing", &[&key])]);
    for (nth, (aud, expected)) in (0..).zip([
        (json!(tenant("acme").issuer.as_str()), true),
        (json!(ENDPOINT), true),
        (json!(["x", ENDPOINT]), true),
        (json!("https://id.example.com/oauth/token"), true),
        (json!("https://id.example.com/oauth2/token"), true),
        (json!("https://mtls.example.com/api/v1/tenant/acme/oauth/token"), true),
        (json!("https://mtls.example.com/oauth/token"), true),
        (json!("https://mtls.example.com/api/v1/tenant/other/oauth/token"), false),
        (json!("https://mtls.example.com"), false),
        (json!("https://id.example.com"), false),
        (json!(ENDPOINT.replace("acme", "other")), false),
        (json!(tenant("other").issuer.as_str()), false),
        (json!("billing"), false),
    ]) {
        let claims = with(claims("billing", &format!("{nth}")), "aud", aud.clone());
        let made = test_env.assert(&key, &claims).await;
        assert_eq!(made.is_ok(), expected, "{aud}");
    }
}

#[tokio::test]
async fn assertion_of_another_tenant_is_refused() {
    let (key, of_other) = (key(1), key(1));
    let there = Client { tenant: tenant("other").id, ..client_with("billing", &[&of_other]) };
    let test_env = test_env(vec![client_with("billing", &[&key]), there]);
    let at_other = ENDPOINT.replace("acme", "other");
    for (signer, aud, id, expected) in [
        (&key, ENDPOINT, "acme", Ok(())),
        (&of_other, at_other.as_str(), "other", Ok(())),
        (&key, at_other.as_str(), "other", Err(AssertionCheck::Signature)),
        (&of_other, ENDPOINT, "acme", Err(AssertionCheck::Signature)),
        (&of_other, ENDPOINT, "other", Err(AssertionCheck::Audience)),
    ] {
        // Each tenant accepts an assertion with the same identifier once.
        let jwt = signer.sign("JWT", &with(claims("billing", "1"), "aud", aud)).unwrap();
        let outcome = test_env.at(id, assertion(None, &jwt), NOW).await;
        let outcome = outcome.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(outcome, expected.map_err(failed), "{aud} at {id}");
    }
}

#[tokio::test]
async fn subject_must_be_active_and_allow_assertions() {
    let own = key(1);
    let secret_only = ClientAuthenticationMethod::ClientSecret;
    let clients = vec![
        client_with("billing", &[&own]),
        client("keyless"),
        Client { status: ClientStatus::Suspended, ..client_with("suspended", &[&own]) },
        Client { authentication_method: secret_only, ..client_with("secret", &[&own]) },
        client_with("other-key", &[&key(1)]),
        client_with("other-name", &[&key(2)]),
    ];
    let test_env = test_env(clients);
    for (id, expected) in [
        ("unknown", refused(methods::UNKNOWN_CLIENT)),
        ("keyless", failed(AssertionCheck::Key)),
        ("suspended", refused(methods::CLIENT_SUSPENDED)),
        ("secret", refused(methods::METHOD_NOT_REGISTERED)),
        ("other-key", failed(AssertionCheck::Signature)),
        ("other-name", failed(AssertionCheck::Key)),
        ("mal\0formed", refused(methods::MALFORMED)),
        ("", refused(methods::MALFORMED)),
    ] {
        let error = test_env.assert(&own, &claims(id, "1")).await.unwrap_err();
        assert!(error.is_refusal());
        assert_eq!(error.to_string(), expected, "{id}");
    }
    assert!(test_env.store.used.lock().unwrap().is_empty(), "a refused assertion uses nothing up");
}

/// Replaces the dummy keys with a key pair of the test and signs with it for clients without keys.
#[tokio::test]
async fn dummy_key_authenticates_no_client() {
    let (own, nobody) = (key(1), key(1));
    let suspended = Client { status: ClientStatus::Suspended, ..client("suspended") };
    let mut test_env = test_env(vec![client("keyless"), suspended, client_with("billing", &[&own])]);
    test_env.authenticator.assertions.keys_of_nobody = client_with("nobody", &[&nobody]).keys.unwrap();
    for (id, expected) in [
        ("keyless", failed(AssertionCheck::Key)),
        ("suspended", refused(methods::CLIENT_SUSPENDED)),
        ("unknown", refused(methods::UNKNOWN_CLIENT)),
        ("billing", failed(AssertionCheck::Signature)),
        ("", refused(methods::MALFORMED)),
    ] {
        let error = test_env.assert(&nobody, &claims(id, "1")).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{id}");
    }
    assert!(test_env.store.used.lock().unwrap().is_empty());
}

// [assertions RFC 7521 §4.2]
#[tokio::test]
async fn malformed_assertions_are_refused() {
    let test_env = test_env(vec![client("billing")]);
    let key = key(1);
    let of_another_type = key.sign("at+jwt", &claims("billing", "1")).unwrap();
    for jwt in ["", "a.b.c", "a.b.c.d.e", &of_another_type, &"a".repeat(20_000)] {
        let error = test_env.at("acme", assertion(None, jwt), NOW).await.unwrap_err();
        assert_eq!(error.to_string(), refused(methods::MALFORMED), "{jwt}");
    }
    let none = PresentedAssertion { client_id: None, jwt: None, kind: AssertionKind::Jwt };
    test_env.check(ClientAuthentication::Assertion(none), &refused(methods::MALFORMED), 0).await;
}

// [assertions RFC 7521 §5.2], [assertions RFC 7523 §6]
#[tokio::test]
async fn concurrent_replays_are_accepted_once() {
    let key = key(1);
    let test_env = Arc::new(test_env(vec![client_with("billing", &[&key])]));
    let jwt = key.sign("JWT", &claims("billing", "1")).unwrap();
    let attempts: Vec<_> = (0..100)
        .map(|_| {
            let (test_env, jwt) = (Arc::clone(&test_env), jwt.clone());
            tokio::spawn(async move { test_env.at("acme", assertion(None, &jwt), NOW).await.is_ok() })
        })
        .collect();
    let mut accepted = 0;
    for attempt in attempts {
        accepted += usize::from(attempt.await.unwrap());
    }
    assert_eq!(accepted, 1);
}

#[tokio::test]
async fn source_over_its_limit_may_still_authenticate() {
    let key = key(1);
    let test_env = over(FakeStore::default(), vec![client_with("billing", &[&key])], Rate::per_minute(2));
    for _ in 0..2 {
        let error = test_env.assert(&key, &claims("unknown", "1")).await.unwrap_err();
        assert_eq!(error.to_string(), refused(methods::UNKNOWN_CLIENT));
    }
    let error = test_env.assert(&key, &claims("unknown", "1")).await.unwrap_err();
    assert!(matches!(error, E::Refused { wait: Some(_), .. }), "{error}");
    assert!(test_env.assert(&key, &claims("billing", "1")).await.is_ok());
}
