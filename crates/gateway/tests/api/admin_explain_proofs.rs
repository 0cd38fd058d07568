//! `POST …/clients/{client}/explain` with a DPoP proof or an access token: each check that refuses a real one, and nothing is used up.

use registry::Client;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::fixtures;

use crate::access_log::line_of;
use crate::administrators::{BOSS, OPS, PLATFORM, TestEnv, ask, clients_path};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, PUBLIC_URL, TestApp, tenant_path, token_path};
use crate::capture::capture;
use crate::client_fixtures::{PLAIN, SVC};
use crate::forge::but;
use crate::prover::{DPOP, Prover, hash_of, proof_claims};

const RESOURCE: &str = "/api/v1/protected-resource";

async fn explain(test_env: &TestEnv, admin: &str, tenant: &str, body: Value) -> Value {
    let path = format!("{}/{SVC}/explain", clients_path(tenant));
    let answer = test_env.post(admin, &path, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The first check of a list that is refused.
fn refused(list: &Value) -> Option<Value> {
    list.as_array().unwrap().iter().find(|check| check["result"] == "refused").cloned()
}

fn named(list: &Value, name: &str) -> Value {
    list.as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone()
}

/// The tenant's client requests a token with this proof.
async fn request(app: &TestApp, tenant: &str, proof: &str) -> Answer {
    let secret = app.secrets(tenant).of(SVC);
    let form = [("grant_type", "client_credentials"), ("client_id", SVC), ("client_secret", secret)];
    Answer::to(app.request(Method::POST, &token_path(tenant)).form(&form).header(DPOP, proof)).await
}

#[tokio::test]
async fn each_failing_check_of_a_proof_is_that_of_the_token_endpoint() {
    capture();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let (app, boss) = (&test_env.app, test_env.token(tenant, BOSS).await);
        let prover = Prover::new();
        let good = proof_claims("POST", &token_path(tenant), app.now(), "1");
        let with = |changes: Value| prover.proof(good.clone(), changes);
        let with_header =
            |changes: Value| prover.signed(&but(prover.header(), changes).to_string(), &good.to_string());
        let of_other = Prover::new().signed(&prover.header().to_string(), &good.to_string());
        for (proof, check) in [
            ("a.b.c".to_owned(), "form"),
            (with(json!({ "jti": "" })), "claims"),
            (with_header(json!({ "typ": "JWT" })), "typ"),
            (with_header(json!({ "crit": ["a"] })), "header"),
            (with_header(json!({ "alg": "none" })), "alg"),
            (with_header(json!({ "jwk": null })), "jwk"),
            (with(json!({ "htm": "GET" })), "htm"),
            (with(json!({ "htu": format!("{PUBLIC_URL}{}", token_path(other)) })), "htu"),
            (with(json!({ "iat": app.now() - 61 })), "iat"),
            (of_other, "signature"),
        ] {
            let reason = line_of(&request(app, tenant, &proof).await).await.get("reason").to_owned();
            let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": proof })).await;
            let found = refused(&explained["dpop_proof"]).unwrap();
            assert_eq!((&found["name"], &found["reason"]), (&json!(check), &json!(reason)), "{explained}");
            assert!(!found["fix"].as_str().unwrap().is_empty(), "{found}");
            let result = &explained["result"];
            assert_eq!(
                (&result["status"], &result["error"], &result["reason"], &result["check"]),
                (&json!(400), &json!("invalid_dpop_proof"), &json!(reason), &json!("sender")),
                "{explained}"
            );
            assert_eq!(named(&explained["checks"], "sender")["result"], "refused");
        }
        // An explanation uses nothing up; a request does, which the next explanation says.
        let proof = with(json!({}));
        for _ in 0..2 {
            let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": proof })).await;
            assert_eq!(
                (&explained["result"]["status"], refused(&explained["dpop_proof"])),
                (&json!(200), None)
            );
            assert_eq!(named(&explained["checks"], "sender")["result"], "passed");
            let detail = named(&explained["checks"], "sender")["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(&prover.thumbprint()), "{detail}");
        }
        assert_eq!(request(app, tenant, &proof).await.status, 200);
        let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": proof })).await;
        let found = refused(&explained["dpop_proof"]).unwrap();
        assert_eq!((&found["name"], &found["reason"]), (&json!("jti"), &json!("dpop_proof_replayed")));
        assert_eq!(explained["result"]["reason"], "dpop_proof_replayed");
        // What a signature costs is spent after the client has authenticated, so its refusal comes first.
        let body = json!({ "dpop_proof": proof, "client_secret": app.secrets(other).of(SVC) });
        assert_eq!(explain(&test_env, &boss, tenant, body).await["result"]["reason"], "wrong_secret");
    }
}

#[tokio::test]
async fn a_nonce_and_another_request_are_explained() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let (app, boss) = (&test_env.app, test_env.token(tenant, BOSS).await);
        let prover = Prover::new();
        for tenant in [ACME, GLOBEX] {
            app.change_tenant(tenant, |tenant| tenant.access_token.require_dpop_nonce = true);
        }
        let claims = |path: &str| proof_claims("POST", path, app.now(), "1");
        let without = prover.proof(claims(&token_path(tenant)), json!({}));
        let nonce = |tenant: &'static str| {
            let proof = prover.proof(claims(&token_path(tenant)), json!({}));
            async move { request(app, tenant, &proof).await.header("dpop-nonce").to_owned() }
        };
        let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": without })).await;
        assert_eq!(refused(&explained["dpop_proof"]).unwrap()["name"], "nonce", "{explained}");
        assert_eq!(explained["result"]["error"], "use_dpop_nonce");
        for (of, is_refused) in [(tenant, false), (other, true)] {
            let proof =
                prover.proof(claims(&token_path(tenant)), json!({ "nonce": nonce(of).await, "iat": 1 }));
            let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": proof })).await;
            assert_eq!(refused(&explained["dpop_proof"]).is_some(), is_refused, "{explained}");
        }
        for tenant in [ACME, GLOBEX] {
            app.change_tenant(tenant, |tenant| tenant.access_token.require_dpop_nonce = false);
        }
        // The request was sent to a path of a default tenant, with another method.
        let proof = prover.proof(proof_claims("PUT", "/oauth/token", app.now(), "2"), json!({}));
        let url = format!("{PUBLIC_URL}/oauth/token?a=b");
        for (body, check) in [
            (json!({ "dpop_proof": proof }), Some("htm")),
            (json!({ "dpop_proof": proof, "dpop_method": "PUT" }), Some("htu")),
            (json!({ "dpop_proof": proof, "dpop_method": "PUT", "dpop_url": url }), None),
        ] {
            let explained = explain(&test_env, &boss, tenant, body).await;
            let found = refused(&explained["dpop_proof"]).map(|found| found["name"].clone());
            assert_eq!(found, check.map(|check| json!(check)), "{explained}");
        }
    }
}

#[tokio::test]
async fn a_token_is_explained_with_the_proof_beside_it() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let (app, boss) = (&test_env.app, test_env.token(tenant, BOSS).await);
        let (prover, thief) = (Prover::new(), Prover::new());
        let bound = |tenant: &'static str| {
            let proof = prover.proof(proof_claims("POST", &token_path(tenant), app.now(), "0"), json!({}));
            async move { request(app, tenant, &proof).await.json()["access_token"].as_str().unwrap().to_owned() }
        };
        let (token, theirs) = (bound(tenant).await, bound(other).await);
        let bearer = app.token(tenant).await;
        let of_plain = app.token_of(tenant, PLAIN).await;
        let claims = || proof_claims("GET", RESOURCE, app.now(), "1");
        let beside = |prover: &Prover, token: &str| prover.proof(claims(), json!({ "ath": hash_of(token) }));
        for (token, proof, list, check, reason) in [
            (&token, Some(beside(&prover, &token)), "access_token", None, json!(null)),
            (&token, None, "access_token", None, json!(null)),
            (&bearer, None, "access_token", None, json!(null)),
            (
                &token,
                Some(beside(&thief, &token)),
                "access_token",
                Some("cnf"),
                json!("token_of_another_key"),
            ),
            (
                &token,
                Some(beside(&prover, &bearer)),
                "dpop_proof",
                Some("ath"),
                json!("dpop_proof_for_another_token"),
            ),
            (
                &bearer,
                Some(beside(&prover, &bearer)),
                "access_token",
                Some("cnf"),
                json!("token_not_dpop_bound"),
            ),
            (&theirs, None, "access_token", Some("token"), json!("token_of_another_issuer")),
            (&of_plain, None, "access_token", Some("client"), json!(null)),
        ] {
            let mut body = json!({ "access_token": token });
            if let Some(proof) = proof {
                let url = format!("{PUBLIC_URL}{RESOURCE}");
                body = but(body, json!({ "dpop_proof": proof, "dpop_method": "GET", "dpop_url": url }));
            }
            let explained = explain(&test_env, &boss, tenant, body).await;
            let found = refused(&explained[list]);
            assert_eq!(
                found.as_ref().map(|found| found["name"].clone()),
                check.map(|check| json!(check)),
                "{explained}"
            );
            assert_eq!(found.map_or(Value::Null, |found| found["reason"].clone()), reason, "{explained}");
            // It is no part of the token request.
            assert_eq!(explained["result"]["status"], 200, "{explained}");
            assert!(!explained.to_string().contains(token.rsplit('.').next().unwrap()), "{explained}");
        }
    }
}

#[tokio::test]
async fn what_has_revoked_a_token_is_named() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let (app, ops) = (&test_env.app, test_env.token(PLATFORM, OPS).await);
        let secret = app.secrets(tenant).of(SVC).to_owned();
        let form = |token: &str| {
            [("token", token.to_owned()), ("client_id", SVC.to_owned()), ("client_secret", secret.clone())]
        };
        let theirs = app.token(other).await;
        for (kind, words) in [
            ("single", "by its `jti`"),
            ("client", "All tokens of the client were revoked, whatever was issued until 20"),
            ("tenant", "All tokens of the tenant were revoked, whatever was issued until 20"),
            ("secret", "The secret or key that it was issued for was revoked"),
        ] {
            let token = app.token(tenant).await;
            let revoked = |explained: Value| named(&explained["access_token"], "revoked");
            let before = explain(&test_env, &ops, tenant, json!({ "access_token": token })).await;
            assert_eq!(revoked(before)["result"], "passed", "{kind}");
            let answer = match kind {
                "single" => {
                    let path = tenant_path(tenant, "/oauth/revoke");
                    Answer::to(app.request(Method::POST, &path).form(&form(&token))).await
                }
                "client" => {
                    let path = format!("{}/{SVC}/tokens/revoke", clients_path(tenant));
                    test_env.ask(&ops, ask(Method::POST, &path)).await
                }
                "tenant" => {
                    let path = format!("/api/v1/admin/tenants/{tenant}/tokens/revoke");
                    test_env.ask(&ops, ask(Method::POST, &path)).await
                }
                _ => {
                    let path = format!("{}/{SVC}/secrets", clients_path(tenant));
                    let listed = test_env.get(&ops, &path).await.json();
                    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
                    test_env.delete(&ops, &format!("{path}/{id}")).await
                }
            };
            assert!(answer.status < 300, "{kind}: {answer:?}");
            let after = revoked(explain(&test_env, &ops, tenant, json!({ "access_token": token })).await);
            assert_eq!(
                (&after["result"], &after["reason"]),
                (&json!("refused"), &json!("token_revoked")),
                "{kind}"
            );
            let detail = after["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{kind}: {detail}");
            app.pass(3);
        }
        let untouched = explain(&test_env, &ops, other, json!({ "access_token": theirs })).await;
        assert_eq!(named(&untouched["access_token"], "revoked")["result"], "passed", "{untouched}");
    }
}

/// A client that requires proofs: the explanation assumes a right one, and takes a real one.
#[tokio::test]
async fn a_real_proof_takes_the_place_of_an_assumed_one() {
    for tenant in [ACME, GLOBEX] {
        let test_env = TestEnv::start();
        let (app, boss) = (&test_env.app, test_env.token(tenant, BOSS).await);
        let (tenant_id, id) = (fixtures::tenant_id(tenant), fixtures::client_id(SVC));
        let stored = app.tokens.authenticator.find(&tenant_id, &id).await.unwrap().unwrap();
        app.store.put_client(Client { dpop_bound_access_tokens: true, ..Client::clone(&stored) });
        let assumed = explain(&test_env, &boss, tenant, json!({})).await;
        assert_eq!(named(&assumed["checks"], "sender")["result"], "not_checked");
        assert!(assumed.get("dpop_proof").is_none() && assumed.get("access_token").is_none(), "{assumed}");
        let claims = proof_claims("POST", &token_path(tenant), app.now(), "1");
        let proof = Prover::new().proof(claims, json!({}));
        let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": proof })).await;
        assert_eq!(named(&explained["checks"], "sender")["result"], "passed", "{explained}");
    }
}
