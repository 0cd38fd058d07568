//! The examples in the course's notes: credentials in the header or in the body, fewer scopes on request, no
//! refresh token, and online verification of a token. `verifiers.rs` tests offline verification.

use reqwest::Method;
use serde_json::json;

use crate::answer::Answer;
use crate::jwt;
use crate::program::Program;
use crate::running::credentials;
use crate::settings::{ACME_SECRET, TWO_TENANTS, edited};

#[tokio::test]
async fn token_has_only_the_requested_scopes() {
    let svc = "{ value: acme-svc-canary-8d1f }, audiences: [api], scopes: [api:read]";
    let both = edited(TWO_TENANTS, svc, &svc.replace("api:read", "api:read, api:write"));
    let (_folder, program) = Program::serving(&both);
    let mut form = credentials("svc", ACME_SECRET).to_vec();
    let all = program.post("/oauth/token", &form).await;
    assert_eq!(jwt::claims(&all.token())["scope"], "api:read api:write");
    form.push(("scope", "api:write"));
    let fewer = program.post("/oauth/token", &form).await;
    assert_eq!(jwt::claims(&fewer.token())["scope"], "api:write");
    // The sample resource server requires the other scope.
    program.present(&fewer.token()).await.assert_refused(403, "insufficient_scope");
    form.last_mut().unwrap().1 = "api:admin";
    program.post("/oauth/token", &form).await.assert_refused(400, "invalid_scope");
}

#[tokio::test]
async fn body_and_header_credentials_get_a_verifiable_token() {
    let (_folder, program) = Program::serving(TWO_TENANTS);
    let in_body = program.request_token("acme", "svc", ACME_SECRET).await;
    let request = program.request(Method::POST, "/oauth2/token").basic_auth("svc", Some(ACME_SECRET));
    let in_header = Answer::to(request.form(&[("grant_type", "client_credentials")])).await;
    for answer in [&in_body, &in_header] {
        let members: Vec<String> = answer.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"], "and no refresh token");
    }
    let token = in_header.token();
    let mut facts = program.introspect("acme", "auditor", "acme-auditor-canary-90aa", &token).await;
    let claims = jwt::claims(&token);
    for name in ["exp", "iat", "nbf", "jti"] {
        assert_eq!(facts.as_object_mut().unwrap().remove(name).as_ref(), Some(&claims[name]), "{name}");
    }
    let expected = json!({
        "active": true, "iss": "http://localhost:3000/api/v1/tenant/acme", "sub": "svc", "client_id": "svc",
        "aud": ["api"], "scope": "api:read", "token_type": "Bearer",
    });
    assert_eq!(facts, expected);
    let middle = token.len() - 100;
    let flipped = if token.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let tampered = format!("{}{flipped}{}", &token[..middle], &token[middle + 1..]);
    for nothing in [tampered.as_str(), "2YotnFZFEjr1zCsicMWpAA", "."] {
        let facts = program.introspect("acme", "auditor", "acme-auditor-canary-90aa", nothing).await;
        assert_eq!(facts, json!({ "active": false }));
    }
}
