//! Tests `POST …/clients/{client}/explain` with a DPoP proof or an access token. It has each check of a real
//! request, and uses nothing up.

use reqwest::Method;
use serde_json::{Value, json};

use crate::access_log::line_of;
use crate::administrators::{BOSS, OPS, PLATFORM, TestEnv, ask, clients_path};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, PUBLIC_URL, TestApp, tenant_path, token_path};
use crate::capture::capture;
use crate::client_fixtures::{PLAIN, SVC};
use crate::explanations::Explained;
use crate::forge::but;
use crate::prover::{DPOP, Prover, hash_of, proof_claims};

const RESOURCE: &str = "/api/v1/protected-resource";

async fn explain(test_env: &TestEnv, admin: &str, tenant: &str, body: Value) -> Explained {
    Explained::fetch(test_env, admin, (tenant, SVC), body).await
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
            explained.assert_refused("dpop_proof", check, &reason);
            explained.assert_result(400, &reason);
            let result = &explained["result"];
            assert_eq!(
                (&result["error"], &result["check"]),
                (&json!("invalid_dpop_proof"), &json!("sender"))
            );
            explained.assert_check("sender", "refused");
        }
        // An explanation uses nothing up. A request does, and the next explanation says so.
        let proof = with(json!({}));
        for _ in 0..2 {
            let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": proof })).await;
            explained.assert_result(200, "");
            explained.assert_refused("dpop_proof", "", "");
            explained.assert_check("sender", "passed");
            let detail = explained.check("sender")["detail"].as_str().unwrap();
            assert!(detail.contains(&prover.thumbprint()), "{detail}");
        }
        assert_eq!(request(app, tenant, &proof).await.status, 200);
        let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": proof })).await;
        explained.assert_refused("dpop_proof", "jti", "dpop_proof_replayed");
        explained.assert_result(400, "dpop_proof_replayed");
        // A signature is checked only after the client has authenticated, so the refusal of the client comes
        // first.
        let body = json!({ "dpop_proof": proof, "client_secret": app.secrets(other).of(SVC) });
        explain(&test_env, &boss, tenant, body).await.assert_result(401, "wrong_secret");
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
        explained.assert_refused("dpop_proof", "nonce", "dpop_nonce_needed");
        assert_eq!(explained["result"]["error"], "use_dpop_nonce");
        for (of, check, reason) in [(tenant, "", ""), (other, "nonce", "dpop_nonce_needed")] {
            let changes = json!({ "nonce": nonce(of).await, "iat": 1 });
            let proof = prover.proof(claims(&token_path(tenant)), changes);
            let explained = explain(&test_env, &boss, tenant, json!({ "dpop_proof": proof })).await;
            explained.assert_refused("dpop_proof", check, reason);
        }
        for tenant in [ACME, GLOBEX] {
            app.change_tenant(tenant, |tenant| tenant.access_token.require_dpop_nonce = false);
        }
        // The request was sent to a path of a default tenant, with another method.
        let proof = prover.proof(proof_claims("PUT", "/oauth/token", app.now(), "2"), json!({}));
        let url = format!("{PUBLIC_URL}/oauth/token?a=b");
        let method = json!({ "dpop_proof": proof, "dpop_method": "PUT" });
        for (body, check, reason) in [
            (json!({ "dpop_proof": proof }), "htm", "dpop_proof_for_another_method"),
            (method.clone(), "htu", "dpop_proof_for_another_uri"),
            (but(method, json!({ "dpop_url": url })), "", ""),
        ] {
            explain(&test_env, &boss, tenant, body).await.assert_refused("dpop_proof", check, reason);
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
        let [ours, others, of_bearer] =
            [(&prover, &token), (&thief, &token), (&prover, &bearer)].map(|(by, of)| Some(beside(by, of)));
        for (token, proof, list, check, reason) in [
            (&token, ours, "access_token", "", ""),
            (&token, None, "access_token", "", ""),
            (&bearer, None, "access_token", "", ""),
            (&token, others, "access_token", "cnf", "token_of_another_key"),
            (&token, of_bearer.clone(), "dpop_proof", "ath", "dpop_proof_for_another_token"),
            (&bearer, of_bearer, "access_token", "cnf", "token_not_dpop_bound"),
            (&theirs, None, "access_token", "token", "token_of_another_issuer"),
            (&of_plain, None, "access_token", "client", ""),
        ] {
            let mut body = json!({ "access_token": token });
            if let Some(proof) = proof {
                let url = format!("{PUBLIC_URL}{RESOURCE}");
                body = but(body, json!({ "dpop_proof": proof, "dpop_method": "GET", "dpop_url": url }));
            }
            let explained = explain(&test_env, &boss, tenant, body).await;
            explained.assert_refused(list, check, reason);
            // It is no part of the token request.
            explained.assert_result(200, "");
            let signature = token.rsplit('.').next().unwrap();
            assert!(!explained.to_string().contains(signature), "{}", *explained);
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
            let before = explain(&test_env, &ops, tenant, json!({ "access_token": token })).await;
            assert_eq!(before.check_of("access_token", "revoked")["result"], "passed", "{kind}");
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
            let after = explain(&test_env, &ops, tenant, json!({ "access_token": token })).await;
            after.assert_refused("access_token", "revoked", "token_revoked");
            let detail = after.check_of("access_token", "revoked")["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{kind}: {detail}");
            app.pass(3);
        }
        let untouched = explain(&test_env, &ops, other, json!({ "access_token": theirs })).await;
        assert_eq!(untouched.check_of("access_token", "revoked")["result"], "passed");
    }
}
