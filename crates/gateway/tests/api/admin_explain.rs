//! `POST …/clients/{client}/explain`: the explanation has the token endpoint's answer, and its reason as the access line names it.

use protocol::JWT_BEARER;
use registry::Client;
use serde_json::{Value, json};
use tenancy::TenantStatus;
use testkit::fixtures;

use crate::access_log::line_of;
use crate::administrators::{BOSS, OPS, PLATFORM, TestEnv, clients_path};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, TestApp, token_path};
use crate::capture::capture;
use crate::client_fixtures::{
    ASSERTING, CHOSEN, CODE_ONLY, ORDERS, PLAIN, SUSPENDED, SVC, add_ended_client, assertion_claims,
    assertion_key,
};
use crate::forge::part;

fn explain_path(tenant: &str, client: &str) -> String {
    format!("{}/{client}/explain", clients_path(tenant))
}

async fn explain(test_env: &TestEnv, admin: &str, path: &str, body: Value) -> Value {
    let answer = test_env.post(admin, path, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The check of this name, wherever it is.
fn check(explained: &Value, name: &str) -> Value {
    let lists = [&explained["checks"], &explained["credential"]["checks"]];
    let mut all = lists.into_iter().flat_map(|list| list.as_array().unwrap());
    all.find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {explained}")).clone()
}

fn result(explained: &Value, name: &str) -> String {
    check(explained, name)["result"].as_str().unwrap().to_owned()
}

fn assertion(signer: &str, claims: &Value) -> String {
    assertion_key(signer).sign("JWT", claims).unwrap()
}

fn asserting(assertion: String) -> Value {
    json!({ "token_endpoint_auth_method": "private_key_jwt", "client_assertion": assertion })
}

/// The token endpoint's answer to the request.
async fn ask(test_env: &TestEnv, tenant: &str, client: &str, body: &Value) -> Answer {
    let secret = body["client_secret"].as_str().unwrap_or_default();
    let text = |name: &str, default: &str| body[name].as_str().unwrap_or(default).to_owned();
    let mut form = vec![
        ("grant_type", text("grant_type", "client_credentials")),
        ("client_id", client.to_owned()),
        ("scope", text("scope", "")),
        ("client_secret", secret.to_owned()),
    ];
    let resources = body["resource"].as_array().cloned().unwrap_or_default();
    form.extend(resources.iter().map(|resource| ("resource", resource.as_str().unwrap().to_owned())));
    if let Some(assertion) = body["client_assertion"].as_str() {
        form.extend([
            ("client_assertion", assertion.to_owned()),
            ("client_assertion_type", JWT_BEARER.to_owned()),
        ]);
    }
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    test_env.app.post(&token_path(tenant), &form).await
}

#[tokio::test]
async fn the_result_is_that_of_the_token_endpoint_with_the_reason_of_its_access_line() {
    capture();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let boss = test_env.token(tenant, BOSS).await;
        let [live, expired, revoked] = add_ended_client(&test_env.app, tenant, "ended", true);
        let (own, others) = (test_env.app.secrets(tenant), test_env.app.secrets(other));
        let secret = |client: &str| own.of(client).to_owned();
        for (client, body, status, reason) in [
            (SVC, json!({ "client_secret": secret(SVC) }), 200, ""),
            (SVC, json!({ "client_secret": secret(SVC), "scope": "api:read orders:read" }), 200, ""),
            (SVC, json!({ "client_secret": secret(SVC), "resource": [ORDERS] }), 200, ""),
            (PLAIN, json!({ "client_secret": secret(PLAIN) }), 200, ""),
            (CHOSEN, json!({ "client_secret": secret(CHOSEN) }), 200, ""),
            ("ended", json!({ "client_secret": live }), 200, ""),
            ("ended", json!({ "client_secret": expired }), 401, "expired_secret"),
            ("ended", json!({ "client_secret": revoked }), 401, "revoked_secret"),
            (SVC, json!({ "client_secret": others.of(SVC) }), 401, "wrong_secret"),
            (CHOSEN, json!({ "client_secret": "wrong" }), 401, "wrong_secret"),
            (SUSPENDED, json!({ "client_secret": secret(SUSPENDED) }), 401, "client_suspended"),
            (ASSERTING, json!({ "client_secret": secret(ASSERTING) }), 401, "method_not_registered"),
            (SVC, json!({ "token_endpoint_auth_method": "none" }), 401, "credential_missing"),
            (ASSERTING, asserting(assertion(tenant, &assertion_claims(tenant, "1"))), 200, ""),
            (
                ASSERTING,
                asserting(assertion(other, &assertion_claims(tenant, "2"))),
                401,
                "assertion_signature_invalid",
            ),
            (
                ASSERTING,
                asserting(assertion(tenant, &assertion_claims(other, "2"))),
                401,
                "assertion_for_another_audience",
            ),
            (ASSERTING, asserting("a.b.c".to_owned()), 401, "malformed_credentials"),
            (CODE_ONLY, json!({ "client_secret": secret(CODE_ONLY) }), 400, "grant_not_registered"),
            (SVC, json!({ "client_secret": secret(SVC), "scope": "api:raed" }), 400, "scope_not_registered"),
            (
                SVC,
                json!({ "client_secret": secret(SVC), "scope": "api:read", "resource": [ORDERS] }),
                400,
                "scope_not_of_resource",
            ),
            (SVC, json!({ "client_secret": "wrong", "scope": "\"" }), 400, "malformed_scope"),
            (SVC, json!({ "client_secret": "wrong", "scope": "api:raed" }), 401, "wrong_secret"),
            (SVC, json!({ "client_secret": "wrong", "resource": ["api"] }), 400, "malformed_resource"),
            (
                SVC,
                json!({ "client_secret": secret(SVC), "resource": ["urn:no:such"] }),
                400,
                "resource_not_registered",
            ),
            (SVC, json!({ "client_secret": "wrong", "grant_type": "password" }), 400, "grant_not_served"),
            (SVC, json!({ "client_secret": "wrong", "grant_type": "" }), 400, "missing_parameter"),
        ] {
            let answer = ask(&test_env, tenant, client, &body).await;
            let line = line_of(&answer).await;
            let explained = explain(&test_env, &boss, &explain_path(tenant, client), body.clone()).await;
            let found = &explained["result"];
            assert_eq!((answer.status, line.get("reason")), (status, reason), "{body}");
            assert_eq!(found["status"], status, "{body}: {explained}");
            assert_eq!(found["reason"].as_str().unwrap_or_default(), reason, "{explained}");
            for name in ["error", "error_description"] {
                let sent = answer.json().get(name).cloned();
                assert_eq!(found.get(name).cloned(), sent, "{body}: {explained}");
            }
            if status == 200 {
                let token = answer.json()["access_token"].as_str().unwrap().to_owned();
                check_token(&explained["token"], &token);
            } else {
                let help =
                    format!("{}/docs/errors#{}", crate::app::PUBLIC_URL, found["error"].as_str().unwrap());
                assert_eq!(found["help"], help);
                let decider = check(&explained, found["check"].as_str().unwrap());
                assert_eq!((&decider["result"], &decider["reason"]), (&json!("refused"), &json!(reason)));
                assert!(decider["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{explained}");
            }
            assert!(
                !explained.to_string().contains("jti") && !explained.to_string().contains("access_token")
            );
        }
    }
}

/// Keys that a client publishes: they are there, of the other tenant's client, or not to be had.
#[tokio::test]
async fn keys_that_are_published_are_explained() {
    capture();
    const URL: &str = "https://keys.example.com";
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let boss = test_env.token(tenant, BOSS).await;
        for id in ["here", "theirs", "away"] {
            let client = fixtures::client(&fixtures::tenant(tenant), id);
            let url = format!("{URL}/{id}");
            let signer = if id == "theirs" { other } else { tenant };
            let jwks = json!({ "keys": [assertion_key(signer).jwk] }).to_string();
            test_env.app.store.publish_jwks(&client.tenant, &url, (id != "away").then_some(&jwks));
            test_env.app.store.put_client(registry::Client { jwks_uri: Some(url), ..client });
        }
        for (id, status, reason) in [
            ("here", 200, ""),
            ("theirs", 401, "assertion_signature_invalid"),
            ("away", 401, "assertion_keys_unavailable"),
        ] {
            let mut claims = assertion_claims(tenant, "1");
            (claims["iss"], claims["sub"]) = (id.into(), id.into());
            let body = asserting(assertion(tenant, &claims));
            let assumed = json!({ "token_endpoint_auth_method": "private_key_jwt" });
            let assumed = explain(&test_env, &boss, &explain_path(tenant, id), assumed).await;
            assert_eq!(assumed["result"]["status"], 200, "{assumed}");
            let explained = explain(&test_env, &boss, &explain_path(tenant, id), body.clone()).await;
            let answer = ask(&test_env, tenant, id, &body).await;
            assert_eq!((answer.status, line_of(&answer).await.get("reason")), (status, reason), "{id}");
            assert_eq!(explained["result"]["status"], status, "{explained}");
            assert_eq!(explained["result"]["reason"].as_str().unwrap_or_default(), reason, "{explained}");
            if status != 200 {
                answer.assert_refused(401, "invalid_client", "Client authentication failed");
                let fix = check(&explained, "assertion")["fix"].as_str().unwrap().to_owned();
                assert!(fix.contains("jwks_uri"), "{fix}");
            }
        }
    }
}

/// The explained token is the issued one, without identifier, times and signature.
fn check_token(explained: &Value, token: &str) {
    let part = |at| -> Value { serde_json::from_str(&part(token, at)).unwrap() };
    let (header, claims) = (part(0), part(1));
    assert_eq!((&explained["typ"], &explained["algorithm"]), (&header["typ"], &header["alg"]));
    assert_eq!(explained["kid"], header["kid"]);
    let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(explained["lifetime"], lifetime);
    let mut rest = claims.as_object().unwrap().clone();
    rest.retain(|name, _| !["jti", "iat", "nbf", "exp"].contains(&name.as_str()));
    assert_eq!(explained["claims"], Value::Object(rest));
}

#[tokio::test]
async fn an_explanation_goes_on_after_a_refusal_and_names_credentials_by_their_id() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let boss = test_env.token(tenant, BOSS).await;
        let wrong = test_env.app.secrets(other).of(SVC).to_owned();
        let body = json!({ "client_secret": wrong, "scope": "api:read api:raed", "audience": "orders" });
        let explained = explain(&test_env, &boss, &explain_path(tenant, SVC), body).await;
        assert_eq!(
            (result(&explained, "secret"), result(&explained, "scope")),
            ("refused".into(), "refused".into())
        );
        let scopes: Vec<_> = explained["scopes"].as_array().unwrap().iter().map(|it| &it["result"]).collect();
        assert_eq!(scopes, ["granted", "refused"]);
        assert_eq!(explained["scopes"][1]["reason"], "scope_not_registered");
        let audience = check(&explained, "audience");
        assert!(audience["fix"].as_str().unwrap().contains("audience is ignored"), "{audience}");
        assert!(!explained.to_string().contains(&wrong), "{explained}");

        let [live, expired, _] = add_ended_client(&test_env.app, tenant, "ended", true);
        let path = explain_path(tenant, "ended");
        let matched = explain(&test_env, &boss, &path, json!({ "client_secret": live })).await;
        assert_eq!(matched["credential"]["matched"], "1");
        let rows = matched["credential"]["registered"].as_array().unwrap().clone();
        let rows: Vec<_> = rows.iter().map(|row| format!("{} {}", row["id"], row["status"])).collect();
        assert_eq!(rows, [r#""1" "live""#, r#""2" "expired""#, r#""3" "revoked""#]);
        let ended = explain(&test_env, &boss, &path, json!({ "client_secret": expired })).await;
        assert!(ended["credential"].get("matched").is_none());
        let detail = check(&ended, "secret")["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("The secret is 2 of the client, which expired at 20"), "{detail}");
        // The grant would allow the token that the secret refuses.
        assert_eq!(
            (result(&ended, "scope"), &ended["token"]["claims"]["sub"]),
            ("passed".into(), &json!("ended"))
        );
    }
}

#[tokio::test]
async fn without_a_secret_a_right_one_is_assumed_if_one_is_live() {
    for tenant in [ACME, GLOBEX] {
        let test_env = TestEnv::start();
        let boss = test_env.token(tenant, BOSS).await;
        let explained = explain(&test_env, &boss, &explain_path(tenant, SVC), json!({})).await;
        assert_eq!(
            (&explained["result"]["status"], result(&explained, "secret")),
            (&json!(200), "not_checked".into())
        );
        add_ended_client(&test_env.app, tenant, "ended", false);
        let explained = explain(&test_env, &boss, &explain_path(tenant, "ended"), json!({})).await;
        assert_eq!(
            (&explained["result"]["status"], result(&explained, "secret")),
            (&json!(401), "refused".into())
        );
        assert_eq!(
            (&explained["result"]["check"], explained["result"].get("reason")),
            (&json!("secret"), None)
        );
        let explained = explain(&test_env, &boss, &explain_path(tenant, SUSPENDED), json!({})).await;
        assert_eq!(explained["result"]["reason"], "client_suspended");
    }
}

#[tokio::test]
async fn a_tenant_that_does_not_serve_is_explained_to_administrators_of_the_platform() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let ops = test_env.token(PLATFORM, OPS).await;
        let body = json!({ "client_secret": test_env.app.secrets(tenant).of(SVC), "scope": "api:raed" });
        for (reason, change) in [
            ("strategy_not_enabled", (|tenant| tenant.strategies.oauth2 = false) as fn(&mut tenancy::Tenant)),
            ("tenant_suspended", |tenant| {
                tenant.status = TenantStatus::Suspended { keys_published_until: fixtures::NOW };
            }),
        ] {
            test_env.app.change_tenant(tenant, change);
            let explained = explain(&test_env, &ops, &explain_path(tenant, SVC), body.clone()).await;
            let found = &explained["result"];
            assert_eq!((&found["status"], &found["error"]), (&json!(404), &json!("not_found")));
            assert_eq!((&found["reason"], &found["check"]), (&json!(reason), &json!("tenant")));
            let later = (result(&explained, "secret"), result(&explained, "scope"));
            assert_eq!(later, ("passed".into(), "refused".into()), "{explained}");
        }
        let explained = explain(&test_env, &ops, &explain_path(other, SVC), json!({})).await;
        assert_eq!(explained["result"]["status"], 200);
    }
}

#[tokio::test]
async fn a_presented_secret_is_an_attempt_like_any_other() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::over(TestApp::start_limited(protocol::Rate::per_minute(3)));
        let boss = test_env.token(tenant, BOSS).await;
        let (path, wrong) = (explain_path(tenant, SVC), json!({ "client_secret": "wrong" }));
        for _ in 0..3 {
            assert_eq!(test_env.post(&boss, &path, wrong.clone()).await.status, 200);
        }
        let refused = test_env.post(&boss, &path, wrong.clone()).await;
        refused.assert_problem(429, "too-many-failures");
        assert!(refused.header("retry-after").parse::<u32>().unwrap() <= 60);
        // The token endpoint has the same budget, of this tenant alone; a right secret is served and resets nothing.
        let form = [("grant_type", "client_credentials"), ("client_id", SVC), ("client_secret", "wrong")];
        assert_eq!(test_env.app.post(&token_path(tenant), &form).await.status, 429);
        assert_eq!(test_env.app.post(&token_path(other), &form).await.status, 401);
        let right = json!({ "client_secret": test_env.app.secrets(tenant).of(SVC) });
        assert_eq!(explain(&test_env, &boss, &path, right).await["result"]["status"], 200);
        test_env.post(&boss, &path, wrong).await.assert_problem(429, "too-many-failures");
        // Nothing is guessed without a secret.
        assert_eq!(explain(&test_env, &boss, &path, json!({})).await["result"]["status"], 200);
    }
}

#[tokio::test]
async fn an_explanation_leaves_no_trace_and_creates_no_key() {
    for tenant in [ACME, GLOBEX] {
        let test_env = TestEnv::start();
        let ops = test_env.token(PLATFORM, OPS).await;
        let secret = test_env.app.secrets(tenant).of(SVC).to_owned();
        let answer =
            test_env.post(&ops, &explain_path(tenant, SVC), json!({ "client_secret": secret })).await;
        assert_eq!(answer.status, 200);
        answer.assert_not_stored();
        let audit = test_env.get(&ops, &format!("/api/v1/tenant/{tenant}/audit")).await.json();
        assert_eq!(audit["items"], json!([]));
        let secrets = test_env.get(&ops, &format!("{}/{SVC}/secrets", clients_path(tenant))).await.json();
        assert_eq!(secrets["items"][0]["last_used_at"], Value::Null);

        let created = json!({ "id": "keyless", "client": { "client_id": "svc", "audiences": ["api"] } });
        assert_eq!(test_env.post(&ops, "/api/v1/admin/tenants", created).await.status, 201);
        let explained = explain(&test_env, &ops, &explain_path("keyless", "svc"), json!({})).await;
        assert_eq!((&explained["result"]["status"], explained["token"].get("kid")), (&json!(200), None));
        let keys = test_env.get(&ops, "/api/v1/tenant/keyless/keys").await.json();
        assert_eq!(keys["items"], json!([]));
    }
}

#[tokio::test]
async fn a_client_of_another_tenant_is_not_explained() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let (boss, ops) = (test_env.token(tenant, BOSS).await, test_env.token(PLATFORM, OPS).await);
        add_ended_client(&test_env.app, other, "theirs", true);
        let theirs = test_env.post(&boss, &explain_path(other, "theirs"), json!({})).await;
        theirs.assert_problem(401, "invalid-token");
        for token in [&boss, &ops] {
            let here = test_env.post(token, &explain_path(tenant, "theirs"), json!({})).await;
            here.assert_problem(404, "not-found");
        }
        let explained = explain(&test_env, &ops, &explain_path(other, "theirs"), json!({})).await;
        assert!(explained["token"]["claims"]["iss"].as_str().unwrap().contains(other));
    }
}

#[tokio::test]
async fn a_document_that_makes_no_request_is_refused_with_its_places() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let body = json!({ "client_secret": "hunter2", "token_endpoint_auth_method": "none", "scopes": [] });
        let answer = test_env.post(&boss, &explain_path(tenant, SVC), body).await;
        answer.assert_problem(400, "invalid-request");
        assert_eq!(answer.pointers(), ["/scopes", "/client_secret"]);
        assert!(!answer.body.contains("hunter2"));
    }
}

#[tokio::test]
async fn a_proof_is_assumed_where_a_bound_token_is_required() {
    for tenant in [ACME, GLOBEX] {
        let test_env = TestEnv::start();
        let app = &test_env.app;
        let (ops, path) = (test_env.token(PLATFORM, OPS).await, explain_path(tenant, SVC));
        assert_eq!(result(&explain(&test_env, &ops, &path, json!({})).await, "sender"), "passed");
        let (tenant_id, id) = (fixtures::tenant_id(tenant), fixtures::client_id(SVC));
        let stored = app.tokens.authenticator.find(&tenant_id, &id).await.unwrap().unwrap();
        app.store.put_client(Client { dpop_bound_access_tokens: true, ..Client::clone(&stored) });
        let explained = explain(&test_env, &ops, &path, json!({})).await;
        assert_eq!(
            (&explained["result"]["status"], result(&explained, "sender").as_str()),
            (&json!(200), "not_checked")
        );
        app.store.put_client(Client {
            tls_client_certificate_bound_access_tokens: true,
            ..Client::clone(&stored)
        });
        let explained = explain(&test_env, &ops, &path, json!({})).await;
        let refused = &explained["result"];
        assert_eq!((&refused["status"], &refused["reason"]), (&json!(400), &json!("certificate_missing")));
        assert_eq!((&refused["check"], result(&explained, "sender").as_str()), (&json!("sender"), "refused"));
    }
}
