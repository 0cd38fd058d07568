//! `…/oauth/forward-auth`, which proxies ask: the requests that may pass, the facts about them, and
//! the refusals. `program::proxies` runs proxies in front of it.

use values::Rate;

use crate::prelude::*;

const API: &str = "?audience=api&scope=api:read";

fn path(tenant: &str, demand: &str) -> String {
    tenant_path(tenant, &format!("/oauth/forward-auth{demand}"))
}

async fn present(app: &TestApp, tenant: &str, demand: &str, authorization: &str) -> Answer {
    let request = app.request(Method::GET, &path(tenant, demand));
    Answer::to(request.header("authorization", authorization)).await
}

fn facts(answer: &Answer) -> [&str; 4] {
    answer.assert_says(200, "");
    answer.assert_not_stored();
    ["tenant", "subject", "client", "scope"].map(|name| answer.header(&format!("x-auth-{name}")))
}

#[tokio::test]
async fn accepted_token_returns_its_facts() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let token = format!("Bearer {}", app.token(tenant).await);
        for demand in [API, "?audience=api", "?audience=api&scope=api:write+api:read&x=1&x=2"] {
            let answer = present(&app, tenant, demand, &token).await;
            assert_eq!(facts(&answer), [tenant, SVC, SVC, "api:read api:write orders:read"], "{demand}");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
        for method in [Method::HEAD, Method::POST, Method::DELETE, Method::OPTIONS, Method::PATCH] {
            let request = app.request(method, &path(tenant, API)).header("authorization", &token);
            let request = request.header("origin", "https://a.example.com").header("cookie", "lk-s.acme=x");
            let answer = Answer::to(request.header("access-control-request-method", "GET")).await;
            assert_eq!(facts(&answer)[0], tenant);
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
        let app = TestApp::start_with(&options(tenant));
        let odd = json!({ "sub": "Zoë %\u{1}, x", "scope": "api:read 100%", "client_id": SVC });
        let token = format!("Bearer {}", Forge::from_tenant(tenant).token(&but(claims(tenant), odd)));
        let answer = present(&app, tenant, API, &token).await;
        assert_eq!(facts(&answer), [tenant, "Zo%C3%AB%20%25%01,%20x", SVC, "api:read 100%25"]);
    }
}

// [bearer RFC 6750 §3.1 b], [bearer RFC 6750 §3.1 c]
#[tokio::test]
async fn refusals_are_challenges_of_the_tenant() {
    for (tenant, other) in BOTH {
        let app = TestApp::start_with(&options(tenant));
        let good = app.token(tenant).await;
        let forge = |changes| Forge::from_tenant(tenant).token(&but(claims(tenant), changes));
        let admin = fixtures::tenant_id(tenant).admin_audience();
        let administers = forge(json!({ "aud": ["api", admin] }));
        let bound = forge(json!({ "cnf": { "x5t#S256": Prover::new().thumbprint() } }));
        let proven = forge(json!({ "cnf": { "jkt": Prover::new().thumbprint() } }));
        let constrained = "Sender-constrained tokens are not accepted behind a proxy";
        let wrong_audience = "Token audience is not accepted";
        let demand_admin = format!("?audience={admin}");
        for (demand, authorization, words) in [
            (API, format!("Bearer {}", app.token(other).await), "Token issuer is not accepted"),
            ("?audience=orders", format!("Bearer {good}"), wrong_audience),
            (API, format!("Bearer {administers}"), wrong_audience),
            (&demand_admin, format!("Bearer {administers}"), wrong_audience),
            (API, format!("Bearer {bound}"), constrained),
            (API, format!("Bearer {proven}"), constrained),
            (API, format!("DPoP {proven}"), constrained),
            (API, format!("DPoP {good}"), constrained),
            (API, format!("Bearer {}", forge(json!({ "client_id": SUSPENDED }))), "Token has been revoked"),
            (API, format!("Bearer {}", forge(json!({ "client_id": "deleted" }))), "Token has been revoked"),
        ] {
            let answer = present(&app, tenant, demand, &authorization).await;
            answer.assert_refused(401, "invalid_token", words);
            let realm = format!(r#"Bearer realm="{}", error="invalid_token""#, issuer(tenant));
            assert!(answer.header("www-authenticate").starts_with(&realm), "{answer:?}");
        }
        let answer =
            present(&app, tenant, "?audience=api&scope=api:read+x+y", &format!("Bearer {good}")).await;
        answer.assert_error(403, "insufficient_scope");
        assert!(answer.header("www-authenticate").ends_with(r#", scope="api:read x y""#), "{answer:?}");
        for authorization in ["", "Basic YTpi"] {
            let answer = present(&app, tenant, API, authorization).await;
            answer.assert_says(401, "");
            let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(challenges, [&format!("Bearer realm=\"{}\"", issuer(tenant))]);
        }
        let twice = app.request(Method::GET, &path(tenant, API)).bearer_auth(&good).bearer_auth(&good);
        Answer::to(twice).await.assert_error(401, "invalid_token");
        for demand in ["", "?scope=api:read", "?audience=", "?audience=api&audience=orders", "?audience=%FF"]
        {
            let answer = present(&app, tenant, demand, &format!("Bearer {good}")).await;
            answer.assert_error(400, "invalid_request");
        }
        let answer = present(&app, tenant, "?audience=api&scope=%22", &format!("Bearer {good}")).await;
        answer.assert_error(400, "invalid_scope");
        app.suspend(tenant);
        let suspended = present(&app, tenant, API, &format!("Bearer {good}")).await;
        suspended.assert_refused(401, "invalid_token", "Token issuer is not active");
        let unknown = present(&app, "nobody", API, &format!("Bearer {good}")).await;
        let shown = |answer: &Answer| (answer.body.clone(), answer.header("www-authenticate").to_owned());
        assert_eq!(shown(&unknown), shown(&suspended));
    }
}

#[tokio::test]
async fn wrong_api_keys_count_as_failed_attempts() {
    for (tenant, other) in BOTH {
        let test_env = TestEnv::over(TestApp::start_limited(Rate::per_minute(3)));
        let keys = Keys::new(&test_env, tenant).await;
        let key = keys.make(json!({ "name": "n", "scopes": ["api:read"] })).await;
        let others = Keys::new(&test_env, other).await.make(json!({ "name": "n" })).await;
        let present = async |text: &str| present(&test_env.app, tenant, API, &format!("Bearer {text}")).await;
        assert_eq!(facts(&present(&key.text).await), [tenant, SVC, SVC, "api:read"]);
        for _ in 0..3 {
            present(&others.text).await.assert_refused(401, "invalid_token", "Token is not accepted");
        }
        let answer = present(&others.text).await;
        answer.assert_error(429, "invalid_token");
        assert_ne!(answer.header("retry-after"), "");
        test_env.delete(&keys.token, &key.path).await.assert_status(200);
    }
}
