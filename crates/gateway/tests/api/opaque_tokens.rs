//! Opaque access tokens: who gets them, where they are taken, what ends them, and what nobody learns from
//! them.

use keys::{OPAQUE_TOKEN_PREFIX, SigningKeyStore as _};
use tenancy::TokenFormat;

use crate::admin_key_commands::rotate;
use crate::prelude::*;

fn make_opaque(app: &TestApp, tenant: &str) {
    app.change_provider(tenant, |tenant| tenant.access_token.format = TokenFormat::Opaque);
}

#[track_caller]
fn is_opaque(token: &str) -> bool {
    let is_jwt = token.split('.').count() == 3;
    assert_ne!(is_jwt, token.starts_with(OPAQUE_TOKEN_PREFIX), "{token}");
    !is_jwt
}

/// Both tenants have a key with the same number.
#[tokio::test]
async fn opaque_token_is_taken_at_its_tenant_only() {
    for (tenant, other) in BOTH {
        let app = TestApp::start_with(&options(tenant));
        let before = app.token(tenant).await;
        [tenant, other].into_iter().for_each(|tenant| make_opaque(&app, tenant));
        let [own, foreign] = [app.token(tenant).await, app.token(other).await];
        assert!(is_opaque(&own) && is_opaque(&foreign) && !is_opaque(&before));
        let answer = app.post_as((tenant, SVC), "/oauth/introspect", &[("token", &own)]).await.json();
        assert_eq!((&answer["active"], &answer["iss"]), (&json!(true), &json!(issuer(tenant))), "{answer}");
        assert_eq!((&answer["aud"], &answer["client_id"]), (&json!(["api"]), &json!(SVC)), "{answer}");
        for path in
            [RESOURCE.to_owned(), tenant_path(tenant, "/oauth/forward-auth?audience=api&scope=api:read")]
        {
            app.get_with(&own, &path).await.assert_status(200);
            app.get_with(&foreign, &path).await.assert_error(401, "invalid_token");
        }
        assert!(!app.is_active(other, &own).await && !app.is_active(tenant, &foreign).await);
        assert!(app.is_active(tenant, &before).await, "the format has changed since");
        let mut changed = own.clone().into_bytes();
        changed[40] = if changed[40] == b'A' { b'B' } else { b'A' };
        assert!(!app.is_active(tenant, &String::from_utf8(changed).unwrap()).await);
        let keys = app.get(&tenant_path(tenant, "/.well-known/jwks.json")).await.json()["keys"].clone();
        assert_eq!(keys.as_array().unwrap().len(), 1, "no key for opaque tokens is published: {keys}");
        app.change_tenant(tenant, |_| {});
        assert!(!is_opaque(&app.token(tenant).await) && app.is_active(tenant, &own).await);
    }
}

#[tokio::test]
async fn format_of_the_api_overrides_client_and_tenant() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let ask = async |resource| {
            let form = [("grant_type", "client_credentials"), ("resource", resource)];
            is_opaque(&app.post_as((tenant, SVC), "/oauth/token", &form).await.access_token())
        };
        let set_api = |format| {
            app.change_tenant(tenant, |tenant| {
                let api = tenant.resource_servers.iter_mut().find(|server| server.audience == ORDERS);
                api.unwrap().token_format = Some(format);
            });
        };
        let set_client =
            |format| app.change_client(tenant, SVC, |client| client.access_token.format = format);
        set_api(TokenFormat::Opaque);
        assert!(ask(ORDERS).await && !is_opaque(&app.token(tenant).await));
        set_client(Some(TokenFormat::Opaque));
        assert!(is_opaque(&app.token(tenant).await) && !is_opaque(&app.token_of(tenant, AUDITOR).await));
        set_api(TokenFormat::Jwt);
        assert!(!ask(ORDERS).await && is_opaque(&app.token(tenant).await));
        set_client(None);
        app.change_tenant(tenant, |_| {});
    }
}

#[tokio::test]
async fn revocations_end_opaque_tokens() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let app = &test_env.app;
    for (tenant, other) in BOTH {
        [tenant, other].into_iter().for_each(|tenant| make_opaque(app, tenant));
        let (own, theirs) = (app.token(tenant).await, app.token(other).await);
        let revoke = async |caller, token: &str| {
            app.post_as(caller, "/oauth/revoke", &[("token", token)]).await.assert_says(200, "");
        };
        revoke((other, SVC), &own).await;
        revoke((tenant, PLAIN), &own).await;
        assert!(app.is_active(tenant, &own).await);
        revoke((tenant, SVC), &own).await;
        assert!(!app.is_active(tenant, &own).await);
        let second = app.token(tenant).await;
        let path = format!("{}/{SVC}/tokens/revoke", clients_path(tenant));
        test_env.step(&ops, &path).await.assert_status(200);
        assert!(!app.is_active(tenant, &second).await);
        app.pass(2);
        let third = app.token(tenant).await;
        assert!(app.is_active(tenant, &third).await);
        rotate(&test_env, &ops, tenant, json!({ "emergency": true, "confirm": true }))
            .await
            .assert_status(200);
        assert!(!app.is_active(tenant, &third).await, "its key was removed");
        assert!(app.is_active(tenant, &app.token(tenant).await).await);
        assert!(app.is_active(other, &theirs).await);
    }
}

#[tokio::test]
async fn key_of_opaque_tokens_is_listed_and_revoked() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in BOTH {
        make_opaque(&test_env.app, tenant);
        let token = test_env.app.token(tenant).await;
        let keys = test_env.get(&ops, &keys_path(tenant)).await.json()["items"].clone();
        let opaque: Vec<_> =
            keys.as_array().unwrap().iter().filter(|key| key["algorithm"] == "AES-256-GCM-SIV").collect();
        assert_eq!(opaque.len(), 1, "{keys}");
        let kid = opaque[0]["kid"].as_str().unwrap();
        let one = format!("{}/{kid}", keys_path(tenant));
        test_env.get(&ops, &one).await.assert_problem(404, "not-found");
        // In the second round the other tenant has a removed key with this number.
        let theirs = test_env.delete(&ops, &format!("{}/{kid}?confirm=true", keys_path(other))).await;
        assert!([404, 409].contains(&theirs.status), "{theirs:?}");
        assert!(test_env.app.is_active(tenant, &token).await);
        test_env.delete(&ops, &format!("{one}?confirm=true")).await.assert_status(200);
        assert!(!test_env.app.is_active(tenant, &token).await);
        assert!(test_env.app.is_active(tenant, &test_env.app.token(tenant).await).await);
        let path = format!("{}/{SVC}/explain", clients_path(tenant));
        let explained = test_env.post(&ops, &path, json!({ "access_token": token })).await.json();
        assert_eq!(explained["access_token"][0]["reason"], "token_key_unknown", "{explained}");
        assert_eq!(explained["token"]["algorithm"], "AES-256-GCM-SIV", "{explained}");
    }
}

#[tokio::test]
async fn opaque_tokens_of_people_are_taken_at_userinfo() {
    let app = TestApp::start();
    for (tenant, other) in BOTH {
        let secret = furnish(&app, tenant, |_| {});
        [tenant, other].into_iter().for_each(|tenant| make_opaque(&app, tenant));
        let tokens = Browser::new(&app).tokens(tenant, &secret, &[]).await;
        let (token, id_token) = (text(&tokens, "access_token"), text(&tokens, "id_token"));
        assert!(is_opaque(token) && !is_opaque(id_token));
        app.userinfo(tenant, token).await.assert_status(200);
        app.userinfo(other, token).await.assert_error(401, "invalid_token");
    }
}

#[tokio::test]
async fn opaque_token_is_bound_to_its_dpop_key() {
    for tenant in [ACME, GLOBEX] {
        let app = TestApp::start_with(&options(tenant));
        make_opaque(&app, tenant);
        let (prover, path) = (Prover::new(), token_path(tenant));
        let proof = prover.proof(proof_claims("POST", &path, app.now(), "1"), json!({}));
        let request = app.request(Method::POST, &path).header(DPOP, proof);
        let answer = Answer::to(request.form(&credentials(SVC, app.secrets(tenant).of(SVC)))).await;
        let token = answer.access_token();
        assert!(is_opaque(&token) && answer.json()["token_type"] == "DPoP");
        for (key, status) in [(&prover, 200), (&Prover::new(), 401)] {
            let claims = proof_claims("GET", RESOURCE, app.now(), &status.to_string());
            let proof = key.proof(claims, json!({ "ath": hash_of(&token) }));
            let request = with_dpop(app.request(Method::GET, RESOURCE), &token, &proof);
            assert_eq!(Answer::to(request).await.status, status);
        }
        app.get_with(&token, RESOURCE).await.assert_error(401, "invalid_token");
    }
}

/// A token that names a key which the tenant may get next costs one row, in case another replica has created
/// that key.
#[tokio::test]
async fn invented_key_numbers_are_refused() {
    let app = TestApp::start();
    for (tenant, other) in BOTH {
        make_opaque(&app, tenant);
        let token = app.token(tenant).await;
        let named = |number: u32| {
            let mut bytes = BASE64URL.decode(&token[OPAQUE_TOKEN_PREFIX.len()..]).unwrap();
            bytes[1..5].copy_from_slice(&number.to_be_bytes());
            format!("{OPAQUE_TOKEN_PREFIX}{}", BASE64URL.encode(bytes))
        };
        let next = app.store.find_keys(&fixtures::tenant_id(tenant)).await.unwrap().next.number();
        for (number, reads) in [(next, 1), (next + 200, 0), (1, 0), (u32::MAX, 0)] {
            let before = app.store.calls().find_key;
            assert!(
                !app.is_active(tenant, &named(number)).await && !app.is_active(other, &named(number)).await
            );
            assert!(app.store.calls().find_key - before <= 2 * reads, "{number}");
        }
    }
}
