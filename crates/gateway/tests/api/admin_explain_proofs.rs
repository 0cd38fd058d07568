//! `POST …/clients/{client}/explain` with a DPoP proof or an access token: runs each check of a
//! real request, and uses nothing up.

use crate::explanations::Explained;
use crate::prelude::*;

async fn explain(test_env: &TestEnv, admin: &str, tenant: &str, body: Value) -> Explained {
    Explained::fetch(test_env, admin, (tenant, SVC), body).await
}

/// The tenant's client requests a token with this proof.
async fn request(app: &TestApp, tenant: &str, proof: &str) -> Answer {
    let form = credentials(SVC, app.secrets(tenant).of(SVC));
    Answer::to(app.request(Method::POST, &token_path(tenant)).form(&form).header(DPOP, proof)).await
}

#[tokio::test]
async fn explanation_of_a_proof_agrees_with_token_endpoint() {
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
            assert_eq!([&result["error"], &result["check"]], ["invalid_dpop_proof", "sender"]);
            explained.assert_check("sender", "refused");
        }
        // An explanation does not use the proof up. A request does, and the next explanation shows
        // that.
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
        // The signature is checked only after the client has authenticated, so the client's refusal
        // comes first.
        let body = json!({ "dpop_proof": proof, "client_secret": app.secrets(other).of(SVC) });
        explain(&test_env, &boss, tenant, body).await.assert_result(401, "wrong_secret");
    }
}

#[tokio::test]
async fn nonce_method_and_url_of_a_proof_are_explained() {
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
        // The proof is for the path of the default tenant and for another method.
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
async fn access_token_is_explained_with_its_proof() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let (app, boss) = (&test_env.app, test_env.token(tenant, BOSS).await);
        let (prover, thief) = (Prover::new(), Prover::new());
        let bound = |tenant: &'static str| {
            let proof = prover.proof(proof_claims("POST", &token_path(tenant), app.now(), "0"), json!({}));
            async move { request(app, tenant, &proof).await.access_token() }
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
            // The proof of an access token does not affect the token request.
            explained.assert_result(200, "");
            assert!(!explained.to_string().contains(token.rsplit('.').next().unwrap()), "{}", *explained);
        }
    }
}

#[tokio::test]
async fn explanation_names_the_revocation_of_a_token() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let test_env = TestEnv::start();
        let (app, ops) = (&test_env.app, test_env.token(PLATFORM, OPS).await);
        let theirs = app.token(other).await;
        for (kind, words) in [
            ("single", "by its `jti`"),
            ("client", "All tokens of the client were revoked, everything issued until 20"),
            ("tenant", "All tokens of the tenant were revoked, everything issued until 20"),
            ("secret", "The secret or key that the token was issued for was revoked"),
        ] {
            let token = app.token(tenant).await;
            let before = explain(&test_env, &ops, tenant, json!({ "access_token": token })).await;
            assert_eq!(before.check_of("access_token", "revoked")["result"], "passed", "{kind}");
            let answer = match kind {
                "single" => app.post_as((tenant, SVC), "/oauth/revoke", &[("token", &token)]).await,
                "client" => {
                    test_env.step(&ops, &format!("{}/{SVC}/tokens/revoke", clients_path(tenant))).await
                }
                "tenant" => test_env.step(&ops, &format!("{TENANTS}/{tenant}/tokens/revoke")).await,
                _ => {
                    let path = format!("{}/{SVC}/secrets", clients_path(tenant));
                    let listed = test_env.get(&ops, &path).await.json();
                    test_env.delete(&ops, &format!("{path}/{}", column(&listed, "id")[0])).await
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
