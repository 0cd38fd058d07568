//! The sample resource server: the tokens that it accepts, and the errors for all others (RFC 6750
//! §3, RFC 9068 §4).

use crate::prelude::*;

#[track_caller]
pub(crate) fn assert_invalid(answer: &Answer, words: &str) {
    answer.assert_refused(401, "invalid_token", words);
    let challenge =
        format!(r#"Bearer realm="protected-resource", error="invalid_token", error_description="{words}""#);
    assert_eq!(answer.header("www-authenticate"), challenge);
}

// [bearer RFC 6750 §2.1]: A resource server reads the token from the `Authorization` header
#[tokio::test]
async fn valid_token_returns_its_client() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let answer = app.get_with(&app.token(tenant).await, RESOURCE).await;
        let caller = r#""caller":{"type":"machine","client_id":"svc"}"#;
        let rest = format!(r#"{caller},"scopes":["api:read","api:write","orders:read"]"#);
        let expected = format!(r#"{{"data":"Protected resource data","tenant":"{tenant}",{rest}}}"#);
        assert_eq!((answer.status, &answer.body), (200, &expected));
        answer.assert_json();
        answer.assert_not_stored();
    }
}

#[tokio::test]
async fn user_token_is_recognized_by_its_subject() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let token = Forge::from_tenant(tenant).token(&but(claims(tenant), json!({ "sub": "alice" })));
        let caller = app.get_with(&token, RESOURCE).await.json()["caller"].clone();
        assert_eq!(caller, json!({ "type": "user", "client_id": "svc" }));
    }
}

// [bearer RFC 6750 §2.3]: A token in the query string may be accepted. Left out on purpose: URLs end up in
//   logs (RFC 9700 §4.3.2) | absent
// [bearer RFC 6750 §3]: A request without a valid token is answered with `WWW-Authenticate: Bearer` and at
//   least one parameter
// [bearer RFC 6750 §3.1 c]: No token at all: no error code
// [dpop RFC 9449 §7.2], [http RFC 9110 §11.6.1], [rfc9700 §4.3.2]
#[tokio::test]
async fn missing_token_gets_a_challenge_without_error() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let bare = app.request(Method::GET, RESOURCE);
        let basic = app.request(Method::GET, RESOURCE).basic_auth("svc", Some(app.secrets(tenant).of("svc")));
        for request in [bare, basic] {
            let answer = Answer::to(request).await;
            assert_eq!((answer.status, answer.body.as_str()), (401, ""));
            let dpop = r#"DPoP algs="RS256 RS384 RS512 PS256 ES256 ES384 EdDSA""#;
            let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(challenges, [r#"Bearer realm="protected-resource""#, dpop]);
            answer.assert_not_stored();
        }
        let path = format!("{RESOURCE}?access_token={}", app.token(tenant).await);
        assert_eq!(app.get(&path).await.status, 401);
    }
}

// [bearer RFC 6750 §3.1 b]: Insufficient scope: 403 `insufficient_scope`, with the required scope
#[tokio::test]
async fn missing_scope_is_named_in_the_challenge() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let answer = app.get_with(&app.token_of(tenant, WRITER).await, RESOURCE).await;
        let words = "Token does not have the required scope";
        answer.assert_refused(403, "insufficient_scope", words);
        let challenge = format!(
            r#"Bearer realm="protected-resource", error="insufficient_scope", error_description="{words}", scope="api:read""#
        );
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
}

#[tokio::test]
async fn the_tokens_of_a_suspended_tenant_are_refused() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        let token = app.token(tenant).await;
        app.suspend(tenant);
        assert_invalid(&app.get_with(&token, RESOURCE).await, "Token issuer is not active");
    }
}

#[tokio::test]
async fn unconfigured_resource_is_an_unknown_path() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&Options { protected_resource: None, ..options(tenant) });
        let answer = app.get_with(&app.token(tenant).await, RESOURCE).await;
        answer.assert_refused(404, "not_found", "Unknown path");
    }
}
