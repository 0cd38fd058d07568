//! Introspection: the claims that a caller may see, and identical responses for everything else
//! (RFC 7662).

use crate::prelude::*;

const INACTIVE: &str = r#"{"active":false}"#;

async fn ask(app: &TestApp, tenant: &str, caller: &str, token: &str) -> Answer {
    let answer = app.post_as((tenant, caller), "/oauth/introspect", &[("token", token)]).await;
    answer.assert_json();
    answer.assert_not_stored();
    answer
}

async fn orders_token(app: &TestApp, tenant: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("resource", ORDERS)];
    app.post_as((tenant, SVC), "/oauth/token", &form).await.access_token()
}

// [introspection RFC 7662 §4 d]: Answers are not cached: `no-store`
// [introspection RFC 7662 §2.2]
#[tokio::test]
async fn active_response_has_the_claims_in_order() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let token = app.token(tenant).await;
        let answer = ask(&app, tenant, SVC, &token).await;
        let (now, iss, jti) = (fixtures::NOW.seconds(), issuer(tenant), claims_of(&token)["jti"].clone());
        let exp = now + 3600;
        let first = r#""active":true,"scope":"api:read api:write orders:read","client_id":"svc""#;
        let times = format!(r#""token_type":"Bearer","exp":{exp},"iat":{now},"nbf":{now}"#);
        let rest = format!(r#""sub":"svc","aud":["api"],"iss":"{iss}","jti":{jti}"#);
        assert_eq!((answer.status, answer.body), (200, format!("{{{first},{times},{rest}}}")));
    }
}

/// Introspection returns the claims in the token, even if client and tenant have other claims now.
#[tokio::test]
async fn client_claims_override_tenant_claims() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let say = |text: &str| {
            app.change_tenant(tenant, |changed| changed.access_token.claims = fixtures::claims(text));
        };
        say(r#"{"plan":"pro","seats":3}"#);
        let own = fixtures::claims(&json!({ "plan": "own", "service": tenant }).to_string());
        app.change_client(tenant, SVC, |client| client.claims = own);
        let token = app.token(tenant).await;
        let said = claims_of(&token);
        let found = ["plan", "seats", "service", "sub"].map(|name| said[name].clone());
        assert_eq!(found, [json!("own"), json!(3), json!(tenant), json!(SVC)]);
        say(r#"{"plan":"free","late":1}"#);
        let answer = ask(&app, tenant, SVC, &token).await.json();
        let found = ["plan", "service", "late"].map(|name| answer[name].clone());
        assert_eq!(found, [json!("own"), json!(tenant), json!(null)]);
        assert_ne!(claims_of(&app.token(other).await)["service"], json!(tenant));
        app.change_client(tenant, SVC, |_| {});
        say("{}");
        assert_eq!(claims_of(&app.token(tenant).await)["plan"], json!(null));
    }
}

// [introspection RFC 7662 §2.2 c]
#[tokio::test]
async fn caller_sees_only_tokens_its_right_covers() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (api, orders) = (app.token(tenant).await, orders_token(&app, tenant).await);
        for (caller, knows_api, knows_orders) in
            [(SVC, true, true), (PLAIN, false, false), (GATEKEEPER, false, true), (AUDITOR, true, true)]
        {
            for (token, knows) in [(&api, knows_api), (&orders, knows_orders)] {
                let answer = ask(&app, tenant, caller, token).await;
                assert_eq!(answer.json()["active"], json!(knows), "{caller}");
                assert_eq!(answer.body == INACTIVE, !knows);
                assert_eq!(ask(&app, other, caller, token).await.body, INACTIVE, "{caller} of {other}");
            }
        }
    }
}

// [introspection RFC 7662 §4]: Expiry, `nbf`, signature and issuer are checked at each request
// [introspection RFC 7662 §2.2 b], [introspection RFC 7662 §2.3]
#[tokio::test]
async fn invalid_and_foreign_tokens_are_inactive() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (forge, foreign) = (Forge::from_tenant(tenant), Forge::foreign());
        let good = forge.token(&claims(tenant));
        assert_eq!(ask(&app, tenant, AUDITOR, &good).await.json()["active"], true);
        let now = app.now();
        for token in [
            "x".to_owned(),
            format!("{good}x"),
            "x".repeat(20_000),
            forge.token(&but(claims(tenant), json!({ "exp": now }))),
            forge.token(&but(claims(tenant), json!({ "client_id": "nobody" }))),
            forge.token(&but(claims(tenant), json!({ "client_id": "a\u{0}b" }))),
            forge.token(&claims(other)),
            foreign.token(&claims(tenant)),
        ] {
            let answer = ask(&app, tenant, AUDITOR, &token).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, INACTIVE), "{token}");
        }
    }
}

// [introspection RFC 7662 §2.1 c]: Only authorized clients may introspect
// [introspection RFC 7662 §2.3]: A caller that does not authenticate gets 401; an invalid token is not an
//   error
// [V10 10.4.10]
#[tokio::test]
async fn only_clients_of_the_tenant_may_introspect() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let path = tenant_path(tenant, "/oauth/introspect");
        let token = app.token(tenant).await;
        let none = app.post(&path, &[("token", &token)]).await;
        none.assert_refused(401, "invalid_client", "Missing client_id parameter");
        for secret in ["wrong", app.secrets(other).of(SVC)] {
            let form = [("token", token.as_str()), ("client_id", SVC), ("client_secret", secret)];
            let refused = app.post(&path, &form).await;
            refused.assert_unauthenticated();
            assert_eq!(refused.header("www-authenticate"), format!("Basic realm=\"{}\"", issuer(tenant)));
        }
        let bearer = app.request(Method::POST, &path).bearer_auth(&token).form(&[("token", &token)]);
        Answer::to(bearer).await.assert_unauthenticated();
    }
}

// [introspection RFC 7662 §2.1]
#[tokio::test]
async fn missing_or_repeated_token_parameter_is_refused() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let path = tenant_path(tenant, "/oauth/introspect");
        let missing = "Missing token parameter";
        app.post(&path, &[]).await.assert_refused(400, "invalid_request", missing);
        app.post(&path, &[("token", "")]).await.assert_refused(400, "invalid_request", missing);
        let twice = app.post(&path, &[("token", "a"), ("token", "b")]).await;
        twice.assert_refused(400, "invalid_request", "Parameter token was sent more than once");
        let get = app.get(&path).await;
        get.assert_refused(405, "invalid_request", "The method is not allowed here");
        assert_eq!(get.header("allow"), "POST");
    }
}

#[tokio::test]
async fn suspended_tenants_and_tenants_without_oauth2_return_404() {
    let app = TestApp::start();
    let form = [("token", "x"), ("client_id", SVC), ("client_secret", app.acme.of(SVC))];
    app.change_tenant(ACME, |tenant| tenant.strategies.oauth2 = false);
    app.suspend(GLOBEX);
    for tenant in [ACME, GLOBEX] {
        let answer = app.post(&tenant_path(tenant, "/oauth/introspect"), &form).await;
        answer.assert_refused(404, "not_found", "Unknown tenant");
    }
}
