//! `…/keys…`: lists a tenant's signing keys and rotates them without an outage.

use crate::prelude::*;

/// `publish_before`, and one second because times have whole seconds.
pub(crate) const PUBLICATION: u64 = 86_400 + 1;

pub(crate) fn one(tenant: &str, number: u32) -> String {
    format!("{}/{}", keys_path(tenant), KeyId::numbered(number))
}

pub(crate) fn states(keys: &Value) -> Vec<(&str, &str)> {
    let keys = keys["items"].as_array().unwrap();
    keys.iter().map(|key| (key["kid"].as_str().unwrap(), key["state"].as_str().unwrap())).collect()
}

/// The `kid` of each published key.
pub(crate) async fn published(test_env: &TestEnv, tenant: &str) -> Vec<String> {
    let set = test_env.app.get(&tenant_path(tenant, "/.well-known/jwks.json")).await.json();
    let keys = set["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The `kid` of the key that signs.
pub(crate) async fn signer(test_env: &TestEnv, tenant: &str) -> String {
    let header: Value = serde_json::from_str(&part(&test_env.app.token(tenant).await, 0)).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

// [parties #5]
#[tokio::test]
async fn key_list_has_no_private_key() {
    let test_env = TestEnv::start();
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        let list = test_env.get(&keeper, &keys_path(tenant)).await;
        assert_eq!(list.status, 200, "{}", list.body);
        list.assert_json();
        list.assert_not_stored();
        let document = list.json();
        assert_eq!(states(&document), [("oauth2-key-1", "active")]);
        let key = &document["items"][0];
        assert_eq!((&key["algorithm"], &key["destroyed"]), (&json!("RS256"), &json!(false)));
        assert_eq!(key["active_from"], "2026-01-01T00:00:00Z");
        assert_eq!(key["retiring_from"], Value::Null);
        assert!(!list.body.contains("private") && !list.body.contains("PRIVATE"));
    }
}

#[tokio::test]
async fn key_is_shown_as_document_jwk_and_pem() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let keeper = test_env.token(tenant, KEEPER).await;
        let path = one(tenant, 1);
        let whole = test_env.get(&keeper, &path).await;
        let document = whole.json_of(200);
        let own = Forge::from_tenant(tenant).jwk();
        assert_eq!((&document["kid"], &document["state"]), (&json!("oauth2-key-1"), &json!("active")));
        assert_eq!(document["jwk"], own);
        assert_ne!(document["jwk"]["n"], Forge::from_tenant(other).jwk()["n"]);

        let jwk = test_env.get(&keeper, &format!("{path}?format=jwk")).await;
        assert_eq!((jwk.status, jwk.header("content-type")), (200, "application/jwk+json"));
        assert_eq!(jwk.json(), own);
        let pem = test_env.get(&keeper, &format!("{path}?format=pem")).await;
        assert_eq!((pem.status, pem.header("content-type")), (200, "application/x-pem-file"));
        assert_eq!(pem.body, document["pem"]);
        assert_eq!(pem.body.as_bytes(), Forge::from_tenant(tenant).public_forms()[0]);

        for answer in [&whole, &jwk, &pem] {
            answer.assert_not_stored();
            assert!(!answer.body.contains("PRIVATE") && !answer.body.contains("\"d\""), "{}", answer.body);
        }
        let tags = [&whole, &jwk, &pem].map(|answer| answer.header("etag").to_owned());
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && !tags.contains(&String::new()), "{tags:?}");
        for (path, tag) in [("", &tags[0]), ("?format=jwk", &tags[1]), ("?format=pem", &tags[2])] {
            let path = one(tenant, 1) + path;
            let headers = vec![("if-none-match", tag.clone())];
            let known = test_env.ask(&keeper, Ask { headers, ..ask(Method::GET, &path) }).await;
            assert_eq!((known.status, known.body.as_str()), (304, ""), "{path}");
        }
        test_env.get(&keeper, &format!("{path}?format=der")).await.assert_faulty(&["/format"]);
    }
}

#[tokio::test]
async fn unknown_key_id_is_not_found() {
    let test_env = TestEnv::start();
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        for kid in
            ["oauth2-key-2", "oauth2-key-01", "OAUTH2-KEY-1", "oauth2%2Dkey-1", "1", "%00", "oauth2-key-"]
        {
            let path = format!("{}/{kid}", keys_path(tenant));
            test_env.get(&keeper, &path).await.assert_problem(404, "not-found");
            test_env.delete(&keeper, &path).await.assert_problem(404, "not-found");
            test_env.delete(&keeper, &format!("{path}?confirm=true")).await.assert_problem(404, "not-found");
        }
        assert_eq!(published(&test_env, tenant).await, ["oauth2-key-1"]);
    }
}

#[tokio::test]
async fn keys_require_the_keys_scope() {
    let test_env = TestEnv::start();
    let (ops, keeper, clerk) = (
        test_env.token(PLATFORM, OPS).await,
        test_env.token(PLATFORM, KEEPER).await,
        test_env.token(PLATFORM, CLERK).await,
    );
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let own = test_env.token(tenant, KEEPER).await;
        let boss = test_env.token(tenant, BOSS).await;
        for path in [keys_path(tenant), one(tenant, 1), format!("{}/status", keys_path(tenant))] {
            for token in [&ops, &keeper, &own] {
                assert_eq!(test_env.get(token, &path).await.status, 200, "{path}");
            }
            for token in [&clerk, &boss] {
                test_env.get(token, &path).await.assert_problem(403, "insufficient-scope");
            }
        }
        for path in [keys_path(other), keys_path(PLATFORM), keys_path("unknown")] {
            test_env.get(&own, &path).await.assert_problem(401, "invalid-token");
            let rotate = format!("{path}/rotate");
            test_env.post(&own, &rotate, json!({})).await.assert_problem(401, "invalid-token");
        }
        test_env.get(&ops, &keys_path("unknown")).await.assert_problem(404, "not-found");
        assert_eq!(test_env.get(&keeper, &keys_path(PLATFORM)).await.status, 200);
    }
}

#[tokio::test]
async fn rotation_keeps_earlier_tokens_valid() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let keeper = test_env.token(tenant, KEEPER).await;
        let others = published(&test_env, other).await;
        let rotated = test_env.step(&keeper, &format!("{}/rotate", keys_path(tenant))).await;
        assert_eq!(rotated.status, 200, "{}", rotated.body);
        rotated.assert_not_stored();
        let document = rotated.json();
        assert_eq!(states(&document), [("oauth2-key-1", "active"), ("oauth2-key-2", "announced")]);
        assert_eq!(document["breaks"], json!([]));
        assert_eq!(published(&test_env, tenant).await, ["oauth2-key-1", "oauth2-key-2"]);
        assert_eq!(signer(&test_env, tenant).await, "oauth2-key-1");
        assert_eq!(published(&test_env, other).await, others, "nothing of the other tenant");

        test_env.app.pass(PUBLICATION - 1);
        assert_eq!(signer(&test_env, tenant).await, "oauth2-key-1");
        let before = test_env.app.token(tenant).await;
        test_env.app.pass(1);
        assert_eq!(signer(&test_env, tenant).await, "oauth2-key-2");
        assert!(test_env.app.is_active(tenant, &before).await, "a token of before is alive");
    }
}

#[tokio::test]
async fn platform_manages_keys_of_a_suspended_tenant() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, own) in test_env.of_each(KEEPER).await {
        test_env.step(&ops, &format!("{TENANTS}/{tenant}/suspend")).await;
        test_env.get(&own, &keys_path(tenant)).await.assert_problem(401, "invalid-token");
        test_env.rotate(&ops, tenant).await.assert_status(200);
    }
}
