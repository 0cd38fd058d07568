//! Tests tokens that the sample resource server must refuse, each with the error that gives the reason (RFC
//! 8725, RFC 9068 §4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

use crate::forge::{header, unsigned};
use crate::prelude::*;
use crate::protected_resource::assert_invalid;

// [bearer RFC 6750 §3 b]: The challenge has `error` and `error_description` if a token was refused
// [bearer RFC 6750 §3.1]: Expired, malformed or otherwise invalid: 401 `invalid_token`
// [access-tokens RFC 9068 §4 b]: It checks issuer, audience, signature and expiry, and refuses `none`
// [access-tokens RFC 9068 §4 c]: It answers `invalid_token`, as RFC 6750 §3.1 says
// [access-tokens RFC 9068 §4], [V10 10.3.1]
#[tokio::test]
async fn each_bad_token_is_refused_with_what_is_wrong() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let (forge, others) = (Forge::from_tenant(tenant), Forge::from_tenant(other));
        let good = claims(tenant);
        assert_eq!(app.get_with(&forge.token(&good), RESOURCE).await.status, 200);
        for (token, words) in bad_claims(&forge, tenant, other, app.now()) {
            assert_invalid(&app.get_with(&token, RESOURCE).await, words);
        }
        for (token, words) in bad_headers(&forge, &others, &good) {
            assert_invalid(&app.get_with(&token, RESOURCE).await, words);
        }
        for token in malformed(&forge.token(&good)) {
            assert_invalid(&app.get_with(&token, RESOURCE).await, "Token is malformed");
        }
    }
}

fn bad_claims(forge: &Forge, tenant: &str, other: &str, now: u64) -> Vec<(String, &'static str)> {
    let but = |changes: Value| forge.token(&but(claims(tenant), changes));
    vec![
        (but(json!({ "exp": now })), "Token has expired"),
        (but(json!({ "exp": now - 1, "iat": now - 10, "nbf": now - 10 })), "Token has expired"),
        (but(json!({ "exp": 0 })), "Token has expired"),
        (but(json!({ "nbf": now + 6 })), "Token is not yet valid"),
        (but(json!({ "iat": now + 6 })), "Token is not yet valid"),
        (but(json!({ "iss": claims(other)["iss"] })), "Token issuer is not accepted"),
        (but(json!({ "iss": "https://evil.example" })), "Token issuer is not accepted"),
        (
            but(json!({ "iss": format!("{}/", claims(tenant)["iss"].as_str().unwrap()) })),
            "Token issuer is not accepted",
        ),
        (but(json!({ "aud": "another" })), "Token audience is not accepted"),
        (but(json!({ "aud": ["API", "api2", "ap"] })), "Token audience is not accepted"),
        (but(json!({ "aud": [] })), "Token audience is not accepted"),
        (but(json!({ "exp": null })), "Token is malformed"),
        (but(json!({ "iss": null })), "Token is malformed"),
        (but(json!({ "aud": null })), "Token is malformed"),
        (but(json!({ "exp": "soon" })), "Token is malformed"),
        (but(json!({ "exp": -1 })), "Token is malformed"),
        (but(json!({ "client_id": null })), "Token is malformed"),
        (but(json!({ "scope": ["api:read"] })), "Token is malformed"),
    ]
}

fn bad_headers(forge: &Forge, others: &Forge, claims: &Value) -> Vec<(String, &'static str)> {
    let with = |changes: Value| forge.token_with(&but(header(), changes), claims);
    let none = |alg: &str| unsigned(&but(header(), json!({ "alg": alg })), claims);
    let foreign = Forge::foreign();
    let own = |changes: Value| foreign.token_with(&but(header(), changes), claims);
    let hs256 = but(header(), json!({ "alg": "HS256" }));
    let mut rows = vec![
        (foreign.token(claims), "Token signature is invalid"),
        (others.token(claims), "Token signature is invalid"),
        (unsigned(&header(), claims), "Token signature is invalid"),
        (none("none"), "Token algorithm is not allowed"),
        (none("None"), "Token algorithm is not allowed"),
        (none("nOnE"), "Token algorithm is not allowed"),
        (with(json!({ "alg": "none" })), "Token algorithm is not allowed"),
        (with(json!({ "alg": "RS384" })), "Token algorithm is not allowed"),
        (with(json!({ "alg": "ES256" })), "Token algorithm is not allowed"),
        (with(json!({ "alg": "rs256" })), "Token algorithm is not allowed"),
        (with(json!({ "alg": null })), "Token is malformed"),
        (with(json!({ "kid": null })), "Token key is unknown"),
        (with(json!({ "kid": "oauth2-key-2" })), "Token key is unknown"),
        (with(json!({ "kid": "../oauth2-key-1" })), "Token key is unknown"),
        (with(json!({ "kid": "oauth2-key-01" })), "Token key is unknown"),
        (own(json!({ "jku": "https://evil.example/jwks.json" })), "Token header is not allowed"),
        (own(json!({ "jwk": foreign.jwk() })), "Token header is not allowed"),
        (own(json!({ "x5u": "https://evil.example/c.pem" })), "Token header is not allowed"),
        (own(json!({ "x5c": ["x"] })), "Token header is not allowed"),
        (with(json!({ "jku": "https://evil.example/jwks.json" })), "Token header is not allowed"),
        (with(json!({ "jwk": forge.jwk() })), "Token header is not allowed"),
        (with(json!({ "crit": ["exp"] })), "Token header is not allowed"),
        (with(json!({ "typ": "JWT" })), "Token type is not accepted"),
        (with(json!({ "typ": "id+jwt" })), "Token type is not accepted"),
        (with(json!({ "typ": "" })), "Token type is not accepted"),
        (with(json!({ "typ": null })), "Token type is not accepted"),
    ];
    for public in forge.public_forms() {
        rows.push((forge.hs256(&hs256, claims, &public), "Token algorithm is not allowed"));
        rows.push((forge.hs256(&header(), claims, &public), "Token signature is invalid"));
    }
    rows
}

fn malformed(good: &str) -> Vec<String> {
    let parts: Vec<_> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let encode = |text: &str| BASE64URL.encode(text);
    vec![
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        format!("{head}.{body}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{head}.{body}.{signature}!"),
        format!("{}.{body}.{signature}", encode("[]")),
        format!("{}.{body}.{signature}", encode("{\"alg\":\"RS256\",\"alg\":\"none\"}")),
        format!("{head}.{}.{signature}", encode("null")),
        format!("{head}.{}.{signature}", encode("{\"iss\":1}")),
        format!("{head}.{}.{signature}", "x".repeat(17_000)),
        "a b c".to_owned(),
    ]
}

// [V9 9.1.1]
#[tokio::test]
async fn a_changed_claim_breaks_the_signature() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let forge = Forge::from_tenant(tenant);
        let (good, more) =
            (forge.token(&claims(tenant)), but(claims(tenant), json!({ "scope": "api:read admin" })));
        let more = forge.token(&more);
        let mixed = format!("{}.{}", more.rsplit_once('.').unwrap().0, good.rsplit_once('.').unwrap().1);
        assert_invalid(&app.get_with(&mixed, RESOURCE).await, "Token signature is invalid");
    }
}
