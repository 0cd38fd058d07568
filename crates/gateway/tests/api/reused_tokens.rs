//! The window of reuse: identical requests of a client get the same token, and everything else of a
//! request happens each time.

use tenancy::{ReuseWindow, TokenFormat};

use crate::admin_key_commands::rotate;
use crate::dpop::bound_token;
use crate::metrics::parse;
use crate::prelude::*;
use crate::usage::assert_sums;

/// Tokens of both tenants may be used again for 720 seconds of their hour.
fn start() -> TestEnv {
    let test_env = TestEnv::start();
    test_env.app.store.keep_revocations_fresh();
    for tenant in [ACME, GLOBEX] {
        open(&test_env.app, tenant);
    }
    test_env
}

fn open(app: &TestApp, tenant: &str) {
    app.change_tenant(tenant, |tenant| tenant.access_token.reuse = ReuseWindow::parse("20%").unwrap());
}

async fn get(app: &TestApp, tenant: &str, client: &str, more: &[(&str, &str)]) -> Value {
    let form = [&credentials(client, app.secrets(tenant).of(client)), more].concat();
    app.post(&token_path(tenant), &form).await.json_of(200)
}

/// The numbers of new and of reused tokens.
async fn counted(app: &TestApp) -> [f64; 2] {
    let numbers = parse(&app.get("/metrics").await.body);
    ["new", "reused"].map(|token| numbers[&format!("latchkey_client_tokens_total{{token=\"{token}\"}}")])
}

#[tokio::test]
async fn identical_requests_share_a_token_within_the_window() {
    let test_env = start();
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        let [new, reused] = counted(app).await;
        let first = get(app, tenant, SVC, &[]).await;
        app.pass(719);
        let second = get(app, tenant, SVC, &[]).await;
        assert_eq!((&first["expires_in"], &second["expires_in"]), (&json!(3_600), &json!(2_881)));
        assert_eq!(but(second.clone(), json!({ "expires_in": 3_600 })), first);
        assert!(app.is_active(tenant, text(&second, "access_token")).await);
        assert!(!app.is_active(other, text(&second, "access_token")).await);
        assert_eq!(counted(app).await, [new + 1.0, reused + 1.0]);
        app.pass(1);
        assert_ne!(get(app, tenant, SVC, &[]).await["access_token"], first["access_token"]);
        // Another format is another token.
        app.change_client(tenant, SVC, |client| client.access_token.format = Some(TokenFormat::Opaque));
        let opaque = app.token(tenant).await;
        assert!(!opaque.contains('.') && app.is_active(tenant, &opaque).await, "{opaque}");
        assert_eq!(app.token(tenant).await, opaque);
        // A client may have its own window.
        app.change_client(tenant, SVC, |client| client.access_token.reuse = ReuseWindow::parse("0%"));
        assert_ne!(app.token(tenant).await, app.token(tenant).await);
    }
}

#[tokio::test]
async fn different_requests_never_share_a_token() {
    let test_env = start();
    let app = &test_env.app;
    let mut found = BTreeSet::new();
    for (tenant, _) in BOTH {
        let keys = Keys::new(&test_env, tenant).await;
        let made = [keys.make(json!({ "name": "a" })).await, keys.make(json!({ "name": "b" })).await];
        app.change_client(tenant, SVC, |client| client.access_token.reuse = ReuseWindow::parse("20%"));
        let mut different = Vec::new();
        for _ in 0..2 {
            for (client, more) in [
                (SVC, &[][..]),
                (SVC, &[("scope", "api:read")]),
                (SVC, &[("scope", "orders:read"), ("resource", ORDERS)]),
                (SVC, &[("scope", "api:read"), ("audience", fixtures::AUDIENCE)]),
                (PLAIN, &[]),
            ] {
                different.push(get(app, tenant, client, more).await);
            }
            for key in &made {
                different.push(keys.exchange(None, &[("client_secret", &key.text)]).await.json_of(200));
            }
        }
        for (index, answer) in different.iter().enumerate() {
            // `PLAIN` has no window.
            let is_new = found.insert(text(answer, "access_token").to_owned());
            assert_eq!(is_new, index < 7 || index == 11, "{index}");
        }
        // A bound token is used by the owner of its key.
        let prover = Prover::new();
        for jti in ["1", "2"] {
            assert!(found.insert(bound_token(app, tenant, &prover, jti).await));
        }
    }
}

#[tokio::test]
async fn nothing_is_reused_across_a_change() {
    for (tenant, other) in BOTH {
        let test_env = start();
        let (app, ops) = (&test_env.app, test_env.token(PLATFORM, OPS).await);
        let boss = test_env.token(tenant, BOSS).await;
        let theirs = app.token(other).await;
        let mut found = BTreeSet::from([app.token(tenant).await]);
        let mut assert_new = async |what: &str| {
            let token = app.passing(app.token(tenant)).await;
            assert_eq!(app.passing(app.token(tenant)).await, token, "{what}");
            assert!(app.is_active(tenant, &token).await && found.insert(token.clone()), "{what}");
            token
        };
        let token = app.token(tenant).await;
        assert_eq!(app.post_as((tenant, SVC), "/oauth/revoke", &[("token", &token)]).await.status, 200);
        assert_new("the token was revoked").await;
        let client = format!("{}/{SVC}", clients_path(tenant));
        assert_eq!(test_env.step(&boss, &format!("{client}/tokens/revoke")).await.status, 200);
        assert_new("the client's tokens were revoked").await;
        app.change_client(tenant, SVC, |client| client.claims = fixtures::claims(r#"{ "plan": "gold" }"#));
        let token = assert_new("the client was changed").await;
        assert_eq!(claims_of(&token)["plan"], "gold");
        let emergency = json!({ "emergency": true, "confirm": true });
        assert_eq!(rotate(&test_env, &ops, tenant, emergency).await.status, 200);
        assert_new("the key was replaced").await;
        let boss = test_env.token(tenant, BOSS).await;
        assert_eq!(test_env.step(&boss, &format!("{client}/suspend")).await.status, 200);
        app.fetch(tenant, SVC, app.secrets(tenant).of(SVC)).await.assert_unauthenticated();
        assert_eq!(app.token(other).await, theirs);
    }
}

#[tokio::test]
async fn each_request_is_counted_and_logged() {
    capture();
    let test_env = start();
    let app = &test_env.app;
    for (tenant, _) in BOTH {
        let reader = test_env.token(tenant, READER).await;
        for _ in 0..5 {
            let answer = app.fetch(tenant, SVC, app.secrets(tenant).of(SVC)).await;
            let line = line_of(&answer).await;
            assert_eq!((line.get("client_id"), line.get("tenant")), (SVC, tenant), "{line:?}");
        }
        let expected = json!({
            "issued": 5, "api_keys_exchanged": 0, "introspected": 0, "revoked": 0, "signed_in": 0, "refused": 0,
        });
        assert_sums(&test_env, &reader, &tenant_path(tenant, &format!("/clients/{SVC}/usage")), expected)
            .await;
    }
}

#[tokio::test]
async fn assertions_are_used_up_despite_reuse() {
    let test_env = start();
    let app = &test_env.app;
    let mut found = BTreeSet::new();
    for (tenant, _) in BOTH {
        let ask = async |jti: &str| {
            let assertion = assertion_key(tenant).sign("JWT", &assertion_claims(tenant, jti)).unwrap();
            app.post(&token_path(tenant), &asserted(&assertion)).await
        };
        let token = ask("1").await.access_token();
        ask("1").await.assert_unauthenticated();
        assert_eq!(ask("2").await.access_token(), token);
        ask("2").await.assert_unauthenticated();
        assert!(found.insert(token) && found.insert(app.token(tenant).await));
    }
}
