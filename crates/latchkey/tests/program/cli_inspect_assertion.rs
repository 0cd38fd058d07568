//! `latchkey inspect` of a client's assertion: it names the check that refuses the assertion at the token endpoint, offline.

use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use protocol::{JWT_BEARER, SigningAlgorithm};
use serde_json::{Value, json};

use crate::assertions::{PUBLIC_URL, Pair, endpoint, folder};
use crate::folder::Folder;
use crate::program::Program;
use crate::running::tenant_path;

#[expect(clippy::disallowed_methods, reason = "a client reads its own clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn issuer(tenant: &str) -> String {
    format!("{PUBLIC_URL}{}", tenant_path(tenant, ""))
}

/// The exit code and the document of an inspection of the assertion.
fn inspect(folder: &Folder, assertion: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    folder.write("assertion.jwt", assertion);
    let arguments = [&["inspect", "assertion.jwt", "--json"], arguments].concat();
    let ran = folder.program(&arguments).stdin(Stdio::null()).output().unwrap();
    let [out, err] = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(!out.contains(assertion.rsplit('.').next().unwrap()), "the signature is shown: {out}");
    (ran.status.code(), serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

/// As the client of this tenant, whose keys are in a file.
fn inspect_as(folder: &Folder, assertion: &str, tenant: &str) -> (Option<i32>, Value) {
    let (jwks, issuer, endpoint) = (format!("{tenant}.jwks.json"), issuer(tenant), endpoint(tenant));
    let options = ["--client", "signer", "--jwks", &jwks, "--issuer", &issuer, "--audience", &endpoint];
    inspect(folder, assertion, &options)
}

/// The reason in the log of a request with the assertion; none if it is accepted.
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

/// The status of a check in the document.
fn status<'a>(document: &'a Value, check: &str) -> &'a Value {
    let checks = document["checks"].as_array().unwrap();
    &checks.iter().find(|line| line["check"] == check).unwrap()["status"]
}

#[tokio::test]
async fn the_check_that_refuses_an_assertion_at_its_tenant_is_named_offline() {
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
            let (code, document) = inspect_as(&folder, &assertion, tenant);
            assert_eq!(document["failed"].as_str(), failed, "{document}");
            assert_eq!(code, Some(if failed.is_some() { 7 } else { 0 }), "{document}");
            let reason = refused(&program, &assertion, tenant).await;
            assert_eq!(document["reason"].as_str(), reason.as_deref(), "{document}");
            if let Some(failed) = failed {
                let checks = document["checks"].as_array().unwrap();
                let line = checks.iter().find(|line| line["check"] == failed).unwrap();
                assert!(line["status"] == "failed" && !line["fix"].as_str().unwrap().is_empty(), "{line}");
            }
        }
        // What is good at its tenant is refused at the other, whose client has the same name, by the same check.
        let new = signed("JWT", "jti", json!("3"));
        let (code, document) = inspect_as(&folder, &new, other);
        assert_eq!((code, document["failed"].as_str()), (Some(7), Some("signature")), "{document}");
        assert_eq!(document["reason"].as_str(), refused(&program, &new, other).await.as_deref());
        assert_eq!(refused(&program, &new, tenant).await, None);
    }
    program.stop();
}

#[test]
fn what_is_not_known_of_the_client_is_said_and_the_signature_is_not_shown() {
    let folder = Folder::with("");
    let pair = Pair::generate(SigningAlgorithm::EdDSA);
    let claims = json!({
        "iss": "signer", "sub": "signer", "aud": endpoint("acme"), "iat": 1_767_225_600, "exp": 1_767_225_660, "jti": "1",
    });
    let at = ["--at", "2026-01-01T00:00:00Z"];
    // The type names the kind, or the option does.
    for (typ, options) in
        [("client-authentication+jwt", &at[..]), ("JWT", &[at[0], at[1], "--client", "signer"])]
    {
        let assertion = pair.key.sign(typ, &claims).unwrap();
        let (code, document) = inspect(&folder, &assertion, options);
        assert_eq!((code, &document["verdict"]), (Some(7), &json!("unverified")), "{document}");
        assert!(document["kind"].as_str().unwrap().starts_with("a client assertion"));
        let is_named = options.len() > at.len();
        assert_eq!(status(&document, "sub"), if is_named { "passed" } else { "not_checked" });
        for check in ["kid", "signature", "aud", "replay"] {
            assert_eq!(status(&document, check), "not_checked", "{check}");
        }
        for check in ["form", "alg", "typ", "iss", "exp", "lifetime", "jti"] {
            assert_eq!(status(&document, check), "passed", "{check}");
        }
        assert_eq!(document["lifetime"]["seconds"], 60);
        // A minute is for clocks.
        let later = inspect(&folder, &assertion, &["--client", "signer", "--at", "2026-01-01T00:02:00Z"]);
        assert_eq!((later.0, &later.1["failed"]), (Some(7), &json!("exp")));
    }
    // A key of a client may be without `kid`.
    let mut jwk = json!(pair.key.jwk);
    jwk.as_object_mut().unwrap().remove("kid");
    folder.write("client.jwks.json", &json!({ "keys": [jwk, { "kty": "oct" }] }).to_string());
    let assertion = pair.key.sign("JWT", &claims).unwrap();
    let options = [&at[..], &["--client", "signer", "--jwks", "client.jwks.json"]].concat();
    let (code, document) = inspect(&folder, &assertion, &options);
    assert_eq!((code, &document["verdict"]), (Some(0), &json!("valid")), "{document}");
    assert!(document["notes"][0].as_str().unwrap().starts_with("left out: key 2"), "{document}");
}
