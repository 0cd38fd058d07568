//! The access log line of a refused request contains the error code and the reason. The response
//! does not contain the reason.

use protocol::RefusalReason;
use registry::methods::TABLES;

use crate::prelude::*;

/// `expected`: error, reason, claimed client id, refused scope. Empty if the line does not have the
/// field.
async fn check(answer: &Answer, expected: [&str; 4]) {
    let line = line_of(answer).await;
    let found = ["error", "reason", "claimed_client_id", "refused_scope"].map(|name| line.get(name));
    assert_eq!(found, expected, "{answer:?}");
    let of_credentials = TABLES.into_iter().flatten().map(|reason| reason.code);
    let is_listed =
        RefusalReason::NAMES.iter().copied().chain(of_credentials).any(|code| code == line.get("reason"));
    assert!(is_listed, "{line:?}");
}

#[tokio::test]
async fn token_refusal_reason_is_only_logged() {
    capture();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let app = TestApp::start();
        let secrets = app.secrets(tenant);
        for (client, secret, reason, claimed) in [
            (SVC, app.secrets(other).of(SVC), "wrong_secret", SVC),
            ("no-such-client", secrets.of(SVC), "unknown_client", ""),
            ("mal\u{7}formed", secrets.of(SVC), "malformed_credentials", ""),
        ] {
            let answer = app.fetch(tenant, client, secret).await;
            check(&answer, ["invalid_client", reason, claimed, ""]).await;
            answer.assert_unauthenticated();
        }
        let good = credentials(SVC, secrets.of(SVC));
        for (more, error, reason, scope) in [
            (
                &[("scope", "api:raed")] as &[(&str, &str)],
                "invalid_scope",
                "scope_not_registered",
                "api:raed",
            ),
            (
                &[("scope", "api:read"), ("resource", ORDERS)],
                "invalid_scope",
                "scope_not_of_resource",
                "api:read",
            ),
            (&[("x", "1"), ("x", "2")], "invalid_request", "repeated_parameter", ""),
        ] {
            let answer = app.post(&token_path(tenant), &[&good[..], more].concat()).await;
            let claimed = if error == "invalid_request" { SVC } else { "" };
            check(&answer, [error, reason, claimed, scope]).await;
        }
        let unnamed = app.post(&token_path(tenant), &good[..1]).await;
        check(&unnamed, ["invalid_client", "client_not_named", "", ""]).await;
    }
}

#[tokio::test]
async fn rate_limited_attempt_keeps_its_own_reason() {
    capture();
    let app = TestApp::start_limited(values::Rate::per_minute(1));
    let mut last = app.fetch(ACME, SVC, "wrong").await;
    while last.status != 429 {
        last = app.fetch(ACME, SVC, "wrong").await;
    }
    check(&last, ["invalid_client", "wrong_secret", SVC, ""]).await;
}

#[tokio::test]
async fn disabled_tenant_is_named_only_in_the_log() {
    capture();
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start();
        let unknown = app.post(&token_path("initech"), &[]).await;
        check(&unknown, ["not_found", "unknown_tenant", "", ""]).await;
        assert_eq!(line_of(&unknown).await.get("tenant"), "-");
        app.change_tenant(tenant, |tenant| tenant.strategies.oauth2 = false);
        let answer = app.post(&token_path(tenant), &[]).await;
        check(&answer, ["not_found", "strategy_not_enabled", "", ""]).await;
        assert_eq!(line_of(&answer).await.get("tenant"), tenant);
        assert_eq!((answer.status, answer.body), (unknown.status, unknown.body.clone()));
        app.suspend(tenant);
        let answer = app.post(&token_path(tenant), &[]).await;
        check(&answer, ["not_found", "tenant_suspended", "", ""]).await;
        assert_eq!((answer.status, answer.body), (unknown.status, unknown.body));
    }
}

#[tokio::test]
async fn refused_tokens_and_admin_requests_log_their_reason() {
    capture();
    let app = TestApp::start_with(&options(ACME));
    let path = "/api/v1/protected-resource";
    check(&app.get(path).await, ["", "token_missing", "", ""]).await;
    let foreign = app.token(GLOBEX).await;
    check(&app.get_with(&foreign, path).await, ["invalid_token", "token_of_another_issuer", "", ""]).await;
    let own = app.token(ACME).await;
    app.pass(100_000);
    check(&app.get_with(&own, path).await, ["invalid_token", "token_expired", "", ""]).await;
    check(&app.get(&tenant_path(ACME, "/clients")).await, ["", "token_missing", "", ""]).await;
    check(&app.get("/no/such/path").await, ["not_found", "unknown_path", "", ""]).await;
}

/// Failed sign-ins on each page that asks for a password. The response reveals nothing, and a
/// successful sign-in has no reason.
#[tokio::test]
async fn failed_sign_in_is_logged_and_counted() {
    capture();
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start();
        furnish(&app, tenant, |_| ());
        for (path, form_path) in
            [(authorize_path(tenant, &[]), "/oauth/sign-in"), (tenant_path(tenant, "/account"), "/account")]
        {
            let mut browser = Browser::new(&app);
            let page = browser.get(&path).await;
            for identifier in [EMAIL, "nobody@example.com"] {
                let refused =
                    browser.sign_in_at(&tenant_path(tenant, form_path), &page, (identifier, "wrong")).await;
                assert_eq!(refused.status, 403);
                check(&refused, ["access_denied", "sign_in_failed", "", ""]).await;
                assert_eq!(line_of(&refused).await.get("tenant"), tenant);
            }
            let done = browser.sign_in_at(&tenant_path(tenant, form_path), &page, (EMAIL, PASSWORD)).await;
            assert_eq!(line_of(&done).await.get("reason"), "");
            let series = format!(
                "latchkey_http_requests_total{{route=\"/api/v1/tenant/{{id}}{form_path}\",status=\"403\",\
                 error=\"access_denied\"}} 2\n"
            );
            let numbers = app.get("/metrics").await.body;
            assert!(numbers.contains(&series), "{series}{numbers}");
        }
        let source = |line: &&crate::capture::Line| {
            line.get("message") == "a sign-in failed"
                && line.get("tenant") == tenant
                && !line.get("source").is_empty()
        };
        assert!(capture().lines().iter().filter(source).count() >= 4);
    }
}
