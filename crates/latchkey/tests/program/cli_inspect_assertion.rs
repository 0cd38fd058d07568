//! Tests `latchkey inspect` of a client's assertion. Offline it reports the check for which the token
//! endpoint refuses the assertion.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use protocol::{JWT_BEARER, SigningAlgorithm};
use serde_json::{Value, json};

use crate::assertions::{PUBLIC_URL, Pair, endpoint, folder};
use crate::folder::Folder;
use crate::host::assert_has;
use crate::inspected::Inspected;
use crate::program::Program;
use crate::running::tenant_path;

#[expect(clippy::disallowed_methods, reason = "a client reads its own clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn issuer(tenant: &str) -> String {
    format!("{PUBLIC_URL}{}", tenant_path(tenant, ""))
}

fn inspect_as(folder: &Folder, assertion: &str, tenant: &str) -> Inspected {
    let (jwks, issuer, endpoint) = (format!("{tenant}.jwks.json"), issuer(tenant), endpoint(tenant));
    let options = ["--client", "signer", "--jwks", &jwks, "--issuer", &issuer, "--audience", &endpoint];
    Inspected::new(folder, assertion.as_bytes(), &options)
}

/// The reason in the log for refusing the assertion. `None` if it is accepted.
async fn refused(program: &Program, assertion: &str, tenant: &str) -> Option<String> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "signer"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    let mark = program.mark();
    let answer = program.post(&tenant_path(tenant, "/oauth/token"), &form).await;
    if answer.status == 200 {
        return None;
    }
    answer.assert_refused(401, "invalid_client");
    let line: Value = serde_json::from_str(&program.log_after(mark, "\"reason\":")).unwrap();
    Some(line["reason"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn offline_check_of_an_assertion_agrees_with_the_server() {
    let pairs = [(); 2].map(|()| Pair::generate(SigningAlgorithm::ES256));
    let folder = folder(&pairs);
    for (pair, tenant) in pairs.iter().zip(["acme", "globex"]) {
        folder.write(&format!("{tenant}.jwks.json"), &json!({ "keys": [pair.key.jwk] }).to_string());
    }
    let program = Program::start(&folder);
    for (pair, tenant, other) in [(&pairs[0], "acme", "globex"), (&pairs[1], "globex", "acme")] {
        let now = now();
        let claims = |name: &str, value: Value| {
            let mut claims = json!({
                "iss": "signer", "sub": "signer", "aud": issuer(tenant), "exp": now + 60, "jti": format!("{name} {value}"),
            });
            claims[name] = value;
            claims
        };
        let signed = |typ: &str, name: &str, value: Value| pair.key.sign(typ, &claims(name, value)).unwrap();
        let good = signed("JWT", "jti", json!("1"));
        let headed = |header: Value| {
            let (_, rest) = good.split_once('.').unwrap();
            format!("{}.{rest}", BASE64URL.encode(header.to_string()))
        };
        for (assertion, failed) in [
            (good.clone(), None),
            (signed("client-authentication+jwt", "aud", json!(endpoint(tenant))), None),
            (signed("JWT", "aud", json!([endpoint(other), issuer(tenant)])), None),
            (good.replace('.', ".."), Some("form")),
            (headed(json!({ "alg": "ES256", "jku": "https://a.example" })), Some("header")),
            (headed(json!({ "alg": "HS256" })), Some("alg")),
            (signed("at+jwt", "jti", json!("2")), Some("typ")),
            (signed("JWT", "sub", json!("other")), Some("sub")),
            (signed("JWT", "sub", json!(7)), Some("form")),
            (headed(json!({ "alg": "ES256", "kid": "other" })), Some("kid")),
            (headed(json!({ "alg": "ES256" })), Some("signature")),
            (signed("JWT", "exp", json!("soon")), Some("claims")),
            (signed("JWT", "iss", json!("other")), Some("iss")),
            (signed("JWT", "aud", json!(issuer(other))), Some("aud")),
            (signed("JWT", "aud", json!(endpoint(other))), Some("aud")),
            (signed("JWT", "exp", json!(now - 100)), Some("exp")),
            (signed("JWT", "nbf", json!(now + 1_000)), Some("nbf")),
            (signed("JWT", "exp", json!(now + 100_000)), Some("lifetime")),
            (signed("JWT", "jti", json!("")), Some("jti")),
        ] {
            let found = inspect_as(&folder, &assertion, tenant);
            match (failed, refused(&program, &assertion, tenant).await) {
                (Some(failed), Some(reason)) => found.assert_refused(failed, &reason),
                (None, None) => found.assert_valid(),
                (_, reason) => panic!("{failed:?} is {reason:?} at the server: {}", found.document),
            }
        }
        // An assertion that is valid at one tenant fails the same check at the other, whose client has the
        // same name.
        let new = signed("JWT", "jti", json!("3"));
        let reason = refused(&program, &new, other).await.unwrap();
        inspect_as(&folder, &new, other).assert_refused("signature", &reason);
        assert_eq!(refused(&program, &new, tenant).await, None);
    }
    program.stop();
}

#[test]
fn assertion_of_an_unknown_client_is_unverified() {
    let folder = Folder::with("");
    let pair = Pair::generate(SigningAlgorithm::EdDSA);
    let claims = json!({
        "iss": "signer", "sub": "signer", "aud": endpoint("acme"), "iat": 1_767_225_600, "exp": 1_767_225_660, "jti": "1",
    });
    let at = ["--at", "2026-01-01T00:00:00Z"];
    // Either the type or the option says that it is an assertion.
    for (typ, options) in
        [("client-authentication+jwt", &at[..]), ("JWT", &[at[0], at[1], "--client", "signer"])]
    {
        let assertion = pair.key.sign(typ, &claims).unwrap();
        let found = Inspected::new(&folder, assertion.as_bytes(), options);
        found.assert_unverified();
        assert!(found.document["kind"].as_str().unwrap().starts_with("a client assertion"));
        let is_named = options.len() > at.len();
        found.assert_status(if is_named { "passed" } else { "not_checked" }, &["sub"]);
        found.assert_status("not_checked", &["kid", "signature", "aud", "replay"]);
        found.assert_status("passed", &["form", "alg", "typ", "iss", "exp", "lifetime", "jti"]);
        assert_eq!(found.document["lifetime"]["seconds"], 60);
        // Clocks may differ by a minute.
        let later = ["--client", "signer", "--at", "2026-01-01T00:02:00Z"];
        Inspected::new(&folder, assertion.as_bytes(), &later).assert_refused("exp", "assertion_expired");
    }
    // A key of a client may have no `kid`.
    let mut jwk = json!(pair.key.jwk);
    jwk.as_object_mut().unwrap().remove("kid");
    folder.write("client.jwks.json", &json!({ "keys": [jwk, { "kty": "oct" }] }).to_string());
    let assertion = pair.key.sign("JWT", &claims).unwrap();
    let options = [&at[..], &["--client", "signer", "--jwks", "client.jwks.json"]].concat();
    let found = Inspected::new(&folder, assertion.as_bytes(), &options);
    found.assert_valid();
    assert_has(&found.document["notes"].to_string(), &["[\"left out: key 2"]);
}
