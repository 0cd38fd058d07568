//! The sample resource server: which tokens it takes, and what it says about the others (RFC 6750 §3, RFC 9068 §4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tenancy::{FormerTyp, TenantStatus};
use testkit::Failure;

use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, TestApp, options};
use crate::forge::{Forge, but, claims, header, unsigned};
use crate::people::WRITER;

const PATH: &str = "/api/v1/protected-resource";

async fn present(app: &TestApp, token: &str) -> Answer {
    Answer::to(app.request(Method::GET, PATH).bearer_auth(token)).await
}

#[track_caller]
fn assert_invalid(answer: &Answer, words: &str) {
    answer.assert_refused(401, "invalid_token", words);
    let challenge = format!(r#"Bearer realm="api", error="invalid_token", error_description="{words}""#);
    assert_eq!(answer.header("www-authenticate"), challenge);
}

#[tokio::test]
async fn a_good_token_is_told_who_it_is() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let answer = present(&app, &app.token(tenant).await).await;
        let expected = format!(
            concat!(
                r#"{{"data":"Protected resource data","tenant":"{}","caller":{{"type":"machine","client_id":"svc"}},"#,
                r#""scopes":["api:read","api:write","orders:read"]}}"#
            ),
            tenant
        );
        assert_eq!((answer.status, answer.body.as_str()), (200, expected.as_str()));
        answer.assert_json();
        answer.assert_not_stored();
    }
}

#[tokio::test]
async fn a_token_for_somebody_else_than_its_client_is_a_users() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let token = Forge::of(tenant).token(&but(claims(tenant), json!({ "sub": "alice" })));
        let caller = present(&app, &token).await.json()["caller"].clone();
        assert_eq!(caller, json!({ "type": "user", "client_id": "svc" }));
    }
}

#[tokio::test]
async fn without_a_token_no_error_is_named() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let bare = app.request(Method::GET, PATH);
        let basic = app.request(Method::GET, PATH).basic_auth("svc", Some(app.secrets(tenant).of("svc")));
        for request in [bare, basic] {
            let answer = Answer::to(request).await;
            assert_eq!((answer.status, answer.body.as_str()), (401, ""));
            assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="api""#);
            answer.assert_not_stored();
        }
        let path = format!("{PATH}?access_token={}", app.token(tenant).await);
        assert_eq!(app.get(&path).await.status, 401);
    }
}

#[tokio::test]
async fn each_bad_token_is_refused_with_what_is_wrong() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start_with(&options(tenant));
        let (forge, others) = (Forge::of(tenant), Forge::of(other));
        let good = claims(tenant);
        assert_eq!(present(&app, &forge.token(&good)).await.status, 200);
        for (token, words) in bad_claims(&forge, tenant, other, app.now()) {
            assert_invalid(&present(&app, &token).await, words);
        }
        for (token, words) in bad_headers(&forge, &others, &good) {
            assert_invalid(&present(&app, &token).await, words);
        }
        for token in malformed(&forge.token(&good)) {
            assert_invalid(&present(&app, &token).await, "Token is malformed");
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

#[tokio::test]
async fn a_changed_claim_breaks_the_signature() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let forge = Forge::of(tenant);
        let (good, more) =
            (forge.token(&claims(tenant)), but(claims(tenant), json!({ "scope": "api:read admin" })));
        let more = forge.token(&more);
        let mixed = format!("{}.{}", more.rsplit_once('.').unwrap().0, good.rsplit_once('.').unwrap().1);
        assert_invalid(&present(&app, &mixed).await, "Token signature is invalid");
    }
}

#[tokio::test]
async fn leeway_is_for_beginnings_and_not_for_ends() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let forge = Forge::of(tenant);
        let ahead = json!({ "nbf": app.now() + 5, "iat": app.now() + 5 });
        assert_eq!(present(&app, &forge.token(&but(claims(tenant), ahead))).await.status, 200);
        let token = app.token(tenant).await;
        app.pass(3599);
        assert_eq!(present(&app, &token).await.status, 200);
        app.pass(1);
        assert_invalid(&present(&app, &token).await, "Token has expired");
    }
}

#[tokio::test]
async fn a_former_type_is_taken_until_its_last_token_has_expired() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let token = app.token(tenant).await;
        let accepted_until = Timestamp::from_seconds(app.now() + 10);
        app.change_tenant(tenant, |tenant| {
            let former = FormerTyp { typ: "application/AT+JWT".to_owned(), accepted_until };
            tenant.access_token.former_typs.push(former);
            tenant.access_token.typ = "JWT".to_owned();
        });
        assert_eq!(present(&app, &token).await.status, 200);
        app.pass(10);
        assert_invalid(&present(&app, &token).await, "Token type is not accepted");
        assert_eq!(present(&app, &app.token(tenant).await).await.status, 200);
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let answer = present(&app, &app.token_of(tenant, WRITER).await).await;
        let words = "Token does not have the required scope";
        answer.assert_refused(403, "insufficient_scope", words);
        let challenge = format!(
            r#"Bearer realm="api", error="insufficient_scope", error_description="{words}", scope="api:read""#
        );
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
}

#[tokio::test]
async fn the_tokens_of_a_suspended_tenant_are_refused() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let token = app.token(tenant).await;
        let keys_published_until = Timestamp::from_seconds(u64::MAX);
        app.change_tenant(tenant, |tenant| tenant.status = TenantStatus::Suspended { keys_published_until });
        assert_invalid(&present(&app, &token).await, "Token issuer is not active");
    }
}

#[tokio::test]
async fn a_store_that_is_away_makes_no_token_invalid() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let token = app.token(tenant).await;
        app.store.fail_with(Failure::Unavailable);
        let answer = present(&app, &token).await;
        answer.assert_refused(503, "temporarily_unavailable", "The server cannot answer now; try again");
        assert_eq!(answer.header("www-authenticate"), "");
    }
}

#[tokio::test]
async fn without_configuration_the_path_is_unknown() {
    for tenant in [ACME, GLOBEX] {
        let mut options = options(tenant);
        options.protected_resource = None;
        let app = TestApp::start_with(&options);
        present(&app, &app.token(tenant).await).await.assert_refused(404, "not_found", "Unknown path");
    }
}
