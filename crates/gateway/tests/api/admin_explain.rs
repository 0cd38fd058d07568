//! `POST …/clients/{client}/explain`: the explanation contains the response of the token endpoint,
//! and the reason in the access log.

use crate::client_fixtures::add_ended_client;
use crate::explanations::{Explained, explain_path};
use crate::prelude::*;

fn assertion(signer: &str, claims: &Value) -> String {
    assertion_key(signer).sign("JWT", claims).unwrap()
}

fn asserting(assertion: String) -> Value {
    json!({ "token_endpoint_auth_method": "private_key_jwt", "client_assertion": assertion })
}

/// The token endpoint's response to the same request.
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
    form.push(("audience", text("audience", "")));
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
async fn explanation_agrees_with_token_endpoint_and_access_log() {
    capture();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let boss = test_env.token(tenant, BOSS).await;
        let [live, expired, revoked] = add_ended_client(&test_env.app, tenant, "ended", true);
        // The client's published keys are available, belong to the other tenant's client, or cannot
        // be fetched.
        let published = ["here", "theirs", "away"];
        for id in published {
            let client = fixtures::client(&fixtures::tenant(tenant), id);
            let url = format!("https://keys.example.com/{id}");
            let signer = if id == "theirs" { other } else { tenant };
            let jwks = json!({ "keys": [assertion_key(signer).jwk] }).to_string();
            test_env.app.store.publish_jwks(&client.tenant, &url, (id != "away").then_some(&jwks));
            test_env.app.store.put_client(Client { jwks_uri: Some(url), ..client });
            let assumed = json!({ "token_endpoint_auth_method": "private_key_jwt" });
            Explained::fetch(&test_env, &boss, (tenant, id), assumed).await.assert_result(200, "");
        }
        let (own, others) = (test_env.app.secrets(tenant), test_env.app.secrets(other));
        let with = |secret: &str, more: Value| but(json!({ "client_secret": secret }), more);
        let right = |client: &str| with(own.of(client), json!({}));
        let svc = |more: Value| with(own.of(SVC), more);
        let wrong = |more: Value| with("wrong", more);
        let signed = |signer: &str, tenant: &str, jti: &str| {
            asserting(assertion(signer, &assertion_claims(tenant, jti)))
        };
        let of_client = |id: &str| {
            let claims = but(assertion_claims(tenant, "1"), json!({ "iss": id, "sub": id }));
            asserting(assertion(tenant, &claims))
        };
        for (client, body, status, reason) in [
            ("here", of_client("here"), 200, ""),
            ("theirs", of_client("theirs"), 401, "assertion_signature_invalid"),
            ("away", of_client("away"), 401, "assertion_keys_unavailable"),
            (SVC, right(SVC), 200, ""),
            (SVC, svc(json!({ "scope": "api:read orders:read" })), 200, ""),
            (SVC, svc(json!({ "resource": [ORDERS] })), 200, ""),
            (PLAIN, right(PLAIN), 200, ""),
            (CHOSEN, right(CHOSEN), 200, ""),
            ("ended", with(&live, json!({})), 200, ""),
            ("ended", with(&expired, json!({})), 401, "expired_secret"),
            ("ended", with(&revoked, json!({})), 401, "revoked_secret"),
            (SVC, with(others.of(SVC), json!({})), 401, "wrong_secret"),
            (CHOSEN, wrong(json!({})), 401, "wrong_secret"),
            (SUSPENDED, right(SUSPENDED), 401, "client_suspended"),
            (ASSERTING, right(ASSERTING), 401, "method_not_registered"),
            (SVC, json!({ "token_endpoint_auth_method": "none" }), 401, "credential_missing"),
            (ASSERTING, signed(tenant, tenant, "1"), 200, ""),
            (ASSERTING, signed(other, tenant, "2"), 401, "assertion_signature_invalid"),
            (ASSERTING, signed(tenant, other, "2"), 401, "assertion_for_another_audience"),
            (ASSERTING, asserting("a.b.c".to_owned()), 401, "malformed_credentials"),
            (CODE_ONLY, right(CODE_ONLY), 400, "grant_not_registered"),
            (SVC, svc(json!({ "scope": "api:raed" })), 400, "scope_not_registered"),
            (SVC, svc(json!({ "scope": "api:read", "resource": [ORDERS] })), 400, "scope_not_of_resource"),
            (SVC, wrong(json!({ "scope": "\"" })), 400, "malformed_scope"),
            (SVC, wrong(json!({ "scope": "api:raed" })), 401, "wrong_secret"),
            (SVC, wrong(json!({ "resource": ["api"] })), 400, "malformed_resource"),
            (SVC, svc(json!({ "resource": ["urn:no:such"] })), 400, "resource_not_registered"),
            (SVC, svc(json!({ "resource": [ORDERS], "audience": "api" })), 200, ""),
            (SVC, svc(json!({ "audience": "other" })), 400, "resource_not_registered"),
            (SVC, wrong(json!({ "grant_type": "password" })), 400, "grant_not_served"),
            (SVC, wrong(json!({ "grant_type": "" })), 400, "missing_parameter"),
        ] {
            let answer = ask(&test_env, tenant, client, &body).await;
            let line = line_of(&answer).await;
            let explained = Explained::fetch(&test_env, &boss, (tenant, client), body.clone()).await;
            assert_eq!((answer.status, line.get("reason")), (status, reason), "{body}");
            explained.assert_result(status, reason);
            let found = &explained["result"];
            for name in ["error", "error_description"] {
                let sent = answer.json().get(name).cloned();
                assert_eq!(found.get(name).cloned(), sent, "{body}: {}", *explained);
            }
            if status == 200 {
                check_token(&explained["token"], &answer.access_token());
            } else {
                let help = format!("{PUBLIC_URL}/docs/errors#{}", found["error"].as_str().unwrap());
                assert_eq!(found["help"], help);
                let decider = explained.check(found["check"].as_str().unwrap());
                assert_eq!((&decider["result"], &decider["reason"]), (&json!("refused"), &json!(reason)));
                let fix = decider["fix"].as_str().unwrap_or_default();
                assert!(fix.contains("jwks_uri") || !published.contains(&client), "{fix}");
                assert!(!fix.is_empty(), "{}", *explained);
            }
            let text = explained.to_string();
            assert!(!text.contains("jti") && !text.contains("access_token"));
        }
    }
}

/// The explained token equals the issued one, except for identifier, times and signature.
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
async fn explanation_continues_after_a_refused_check() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let boss = test_env.token(tenant, BOSS).await;
        let wrong = test_env.app.secrets(other).of(SVC).to_owned();
        let body = json!({ "client_secret": wrong, "scope": "api:read api:raed", "audience": "api" });
        let explained = Explained::fetch(&test_env, &boss, (tenant, SVC), body).await;
        explained.assert_check("secret", "refused");
        explained.assert_check("scope", "refused");
        let scopes: Vec<_> = explained["scopes"].as_array().unwrap().iter().map(|it| &it["result"]).collect();
        assert_eq!(scopes, ["granted", "refused"]);
        assert_eq!(explained["scopes"][1]["reason"], "scope_not_registered");
        let audience = explained.check("audience");
        assert_eq!(audience["detail"], "The audience is api: as the request says.");
        assert!(!explained.to_string().contains(&wrong), "{}", *explained);

        let [live, expired, _] = add_ended_client(&test_env.app, tenant, "ended", true);
        let explain = async |secret: String| {
            let body = json!({ "client_secret": secret });
            Explained::fetch(&test_env, &boss, (tenant, "ended"), body).await
        };
        let matched = explain(live).await;
        assert_eq!(matched["credential"]["matched"], "1");
        let rows = matched["credential"]["registered"].as_array().unwrap().iter();
        let rows: Vec<_> = rows.map(|row| format!("{} {}", row["id"], row["status"])).collect();
        assert_eq!(rows, [r#""1" "live""#, r#""2" "expired""#, r#""3" "revoked""#]);
        let ended = explain(expired).await;
        assert!(ended["credential"].get("matched").is_none());
        let detail = ended.check("secret")["detail"].as_str().unwrap();
        assert!(detail.starts_with("The secret is 2 of the client, which expired at 20"), "{detail}");
        // The grant would allow the token; only the secret is refused.
        ended.assert_check("scope", "passed");
        assert_eq!(ended["token"]["claims"]["sub"], "ended");
    }
}

#[tokio::test]
async fn valid_secret_is_assumed_if_none_is_sent() {
    for tenant in [ACME, GLOBEX] {
        let test_env = TestEnv::start();
        let boss = test_env.token(tenant, BOSS).await;
        add_ended_client(&test_env.app, tenant, "ended", false);
        for (client, status, reason, check, secret) in [
            (SVC, 200, "", None, "not_checked"),
            ("ended", 401, "", Some("secret"), "refused"),
            (SUSPENDED, 401, "client_suspended", Some("client"), "not_checked"),
        ] {
            let explained = Explained::fetch(&test_env, &boss, (tenant, client), json!({})).await;
            explained.assert_result(status, reason);
            explained.assert_check("secret", secret);
            assert_eq!(explained["result"]["check"].as_str(), check, "{client}");
        }
    }
}

#[tokio::test]
async fn suspended_tenant_is_explained_to_the_platform() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (test_env, ops) = TestEnv::with_ops().await;
        let body = json!({ "client_secret": test_env.app.secrets(tenant).of(SVC), "scope": "api:raed" });
        for (reason, change) in [
            ("strategy_not_enabled", (|tenant| tenant.strategies.oauth2 = false) as fn(&mut tenancy::Tenant)),
            ("tenant_suspended", |tenant| {
                tenant.status = TenantStatus::Suspended { keys_published_until: fixtures::NOW };
            }),
        ] {
            test_env.app.change_tenant(tenant, change);
            let explained = Explained::fetch(&test_env, &ops, (tenant, SVC), body.clone()).await;
            explained.assert_result(404, reason);
            let found = &explained["result"];
            assert_eq!((&found["error"], &found["check"]), (&json!("not_found"), &json!("tenant")));
            explained.assert_check("secret", "passed");
            explained.assert_check("scope", "refused");
        }
        Explained::fetch(&test_env, &ops, (other, SVC), json!({})).await.assert_result(200, "");
    }
}

// [limits #15]: secrets that administrators with `latchkey:clients` present to `…/explain` | the same budget,
//   counted by the administrator's address; `limits.admin_writes` besides | 429 with `Retry-After`
#[tokio::test]
async fn wrong_secret_counts_as_a_failed_attempt() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::over(TestApp::start_limited(values::Rate::per_minute(3)));
        let boss = test_env.token(tenant, BOSS).await;
        let (path, wrong) = (explain_path(tenant, SVC), json!({ "client_secret": "wrong" }));
        for _ in 0..3 {
            assert_eq!(test_env.post(&boss, &path, wrong.clone()).await.status, 200);
        }
        let refused = test_env.post(&boss, &path, wrong.clone()).await;
        refused.assert_problem(429, "too-many-failures");
        assert!(refused.header("retry-after").parse::<u32>().unwrap() <= 60);
        // The token endpoint has the same limit, for this tenant only. A valid secret is accepted,
        // but does not reset the limit.
        assert_eq!(test_env.app.fetch(tenant, SVC, "wrong").await.status, 429);
        assert_eq!(test_env.app.fetch(other, SVC, "wrong").await.status, 401);
        let right = json!({ "client_secret": test_env.app.secrets(tenant).of(SVC) });
        Explained::fetch(&test_env, &boss, (tenant, SVC), right).await.assert_result(200, "");
        test_env.post(&boss, &path, wrong).await.assert_problem(429, "too-many-failures");
        // An explanation without a secret does not count as a failed attempt.
        Explained::fetch(&test_env, &boss, (tenant, SVC), json!({})).await.assert_result(200, "");
    }
}

#[tokio::test]
async fn explanation_writes_nothing() {
    for tenant in [ACME, GLOBEX] {
        let (test_env, ops) = TestEnv::with_ops().await;
        let body = json!({ "client_secret": test_env.app.secrets(tenant).of(SVC) });
        let answer = test_env.post(&ops, &explain_path(tenant, SVC), body).await;
        answer.assert_status(200);
        answer.assert_not_stored();
        let audit = test_env.get(&ops, &format!("/api/v1/tenant/{tenant}/audit")).await.json();
        assert_eq!(audit["items"], json!([]));
        let secrets = test_env.get(&ops, &format!("{}/{SVC}/secrets", clients_path(tenant))).await.json();
        assert_eq!(secrets["items"][0]["last_used_at"], Value::Null);

        let created = json!({ "id": "keyless", "client": { "client_id": "svc", "audiences": ["api"] } });
        assert_eq!(test_env.post(&ops, "/api/v1/admin/tenants", created).await.status, 201);
        let explained = Explained::fetch(&test_env, &ops, ("keyless", "svc"), json!({})).await;
        explained.assert_result(200, "");
        assert!(explained["token"].get("kid").is_none(), "{}", *explained);
        assert_eq!(test_env.get(&ops, "/api/v1/tenant/keyless/keys").await.json()["items"], json!([]));
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
        let explained = Explained::fetch(&test_env, &ops, (other, "theirs"), json!({})).await;
        assert!(explained["token"]["claims"]["iss"].as_str().unwrap().contains(other));
    }
}

#[tokio::test]
async fn invalid_explain_request_is_refused_with_pointers() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let body = json!({ "client_secret": "hunter2", "token_endpoint_auth_method": "none", "scopes": [] });
        let answer = test_env.post(&boss, &explain_path(tenant, SVC), body).await;
        answer.assert_problem(400, "invalid-request");
        assert_eq!(answer.pointers(), ["/scopes", "/client_secret"]);
        assert!(!answer.body.contains("hunter2"));
    }
}

#[tokio::test]
async fn proof_is_assumed_if_none_is_sent() {
    for tenant in [ACME, GLOBEX] {
        let test_env = TestEnv::start();
        let app = &test_env.app;
        let ops = test_env.token(PLATFORM, OPS).await;
        let dpop = |client: &mut Client| client.dpop_bound_access_tokens = true;
        let certificate = |client: &mut Client| client.tls_client_certificate_bound_access_tokens = true;
        let claims = proof_claims("POST", &token_path(tenant), app.now(), "1");
        let real = json!({ "dpop_proof": Prover::new().proof(claims, json!({})) });
        for (change, body, status, reason, sender) in [
            ((|_| ()) as fn(&mut Client), json!({}), 200, "", "passed"),
            (dpop, json!({}), 200, "", "not_checked"),
            (dpop, real, 200, "", "passed"),
            (certificate, json!({}), 400, "certificate_missing", "refused"),
        ] {
            app.change_client(tenant, SVC, change);
            let explained = Explained::fetch(&test_env, &ops, (tenant, SVC), body.clone()).await;
            explained.assert_result(status, reason);
            explained.assert_check("sender", sender);
            assert_eq!(explained["result"].get("check"), (status == 400).then_some(&json!("sender")));
            assert_eq!(explained.get("dpop_proof").is_some(), body.get("dpop_proof").is_some());
            assert!(explained.get("access_token").is_none());
        }
    }
}
