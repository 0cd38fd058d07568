//! Tests credentials other than secrets: assertions that the client signs, and workload tokens of its
//! platform.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use latchkey_client::{Algorithm, PrivateKeyJwt, WorkloadToken};
use serde_json::Value;

use crate::builder;
use crate::stub::{Reply, Stub};

/// The private key of RFC 8037 appendix A.1.
pub(crate) const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"k1","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn parameter(form: &str, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Header and claims of an assertion.
fn decoded(assertion: &str) -> (Value, Value) {
    let mut parts = assertion.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

#[expect(clippy::disallowed_methods, reason = "what a server's clock says")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[tokio::test]
async fn each_attempt_has_its_own_assertion() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let stub = Stub::start(move |received| {
        noted.lock().unwrap().push(received.body.clone());
        if received.number == 0 { Reply::json(503, "") } else { Reply::token("t") }
    })
    .await;
    let tokens = builder(&stub).credential(PrivateKeyJwt::value(JWK)).build().unwrap();
    tokens.token().await.unwrap();
    let seen = seen.lock().unwrap();
    let assertions: Vec<_> = seen.iter().map(|form| decoded(&parameter(form, "client_assertion"))).collect();
    let [(header, first), (_, second)] = &assertions[..] else { panic!("two attempts") };
    let named = (&header["alg"], &header["kid"], &header["typ"]);
    assert_eq!(named, (&"EdDSA".into(), &"k1".into(), &"JWT".into()));
    assert_eq!((&first["iss"], &first["sub"]), (&"billing".into(), &"billing".into()));
    assert_eq!(first["aud"], stub.url("/token"));
    assert_eq!(first["exp"].as_u64().unwrap() - first["iat"].as_u64().unwrap(), 60);
    assert!(first["jti"] != second["jti"] && first["jti"].as_str().unwrap().len() == 32);
    let of_assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(parameter(&seen[0], "client_assertion_type"), of_assertion);
    assert_eq!(parameter(&seen[0], "client_id"), "billing");
}

#[tokio::test]
async fn assertion_follows_the_servers_clock_after_refusal() {
    let server_is_ahead = Duration::from_secs(3600);
    let stub = Stub::start(move |received| {
        let time = now() + server_is_ahead;
        let (_, claims) = decoded(&parameter(&received.body, "client_assertion"));
        let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(claims["exp"].as_u64().unwrap());
        let reply = if expires > time { Reply::token("t") } else { Reply::rejected(401, "invalid_client") };
        reply.with("date", httpdate::fmt_http_date(time))
    })
    .await;
    let tokens = builder(&stub).credential(PrivateKeyJwt::value(JWK)).build().unwrap();
    let first = tokens.token().await.unwrap();
    assert_eq!(stub.requests(), 2);
    // The client remembers the difference of the clocks.
    tokens.invalidate(&first);
    tokens.token().await.unwrap();
    assert_eq!(stub.requests(), 3);
}

#[tokio::test]
async fn unusable_key_is_reported_without_a_request() {
    let stub = Stub::start(|_| Reply::token("t")).await;
    for (credential, why) in [
        (PrivateKeyJwt::value("hunter2"), "it is neither PEM nor a JWK"),
        (PrivateKeyJwt::value(JWK).algorithm(Algorithm::Rs256), "it cannot sign with RS256"),
    ] {
        let error = builder(&stub).credential(credential).build().unwrap().token().await.unwrap_err();
        let expected = format!("the private key cannot be used: {why}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), expected);
    }
    assert_eq!(stub.requests(), 0);
}

#[tokio::test]
async fn a_workload_token_is_read_for_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let stub = Stub::start(|received| {
        let [one, other] = ["assertion", "client_assertion"].map(|name| parameter(&received.body, name));
        Reply::token(&format!("for-{one}{other}"))
    })
    .await;
    std::fs::write(&path, "one\n").unwrap();
    let tokens = builder(&stub).credential(WorkloadToken::file(&path)).build().unwrap();
    let first = tokens.token().await.unwrap();
    assert_eq!(first.expose(), "for-one");
    std::fs::write(&path, "two\n").unwrap();
    tokens.invalidate(&first);
    assert_eq!(tokens.token().await.unwrap().expose(), "for-two");
    let tokens = builder(&stub).credential(WorkloadToken::file(&path).as_grant()).build().unwrap();
    assert_eq!(tokens.token().await.unwrap().expose(), "for-two");
}
