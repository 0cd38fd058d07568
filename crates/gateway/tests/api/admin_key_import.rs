//! Key import: accepts only private keys of the tenant's algorithm, and never shows them.

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::admin_keys::{PUBLICATION, one, signer, states};
use crate::prelude::*;

const FOREIGN: &str = include_str!("keys/foreign.pem");

async fn import(test_env: &TestEnv, token: &str, tenant: &str, body: Value) -> Answer {
    test_env.post(token, &keys_path(tenant), body).await
}

/// A private P-256 key.
fn ec_jwk() -> Value {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let private: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().unwrap();
    let point = pair.public_key().as_ref()[1..].to_vec();
    let (x, y) = point.split_at(32);
    json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "x": BASE64URL.encode(x), "y": BASE64URL.encode(y),
        "d": BASE64URL.encode(private.as_ref()),
    })
}

#[tokio::test]
async fn imported_pem_key_signs_after_its_publication() {
    for tenant in [ACME, GLOBEX] {
        let (test_env, ops) = TestEnv::with_ops().await;
        let body = json!({ "key": FOREIGN, "algorithm": "RS256" });
        let made = import(&test_env, &ops, tenant, body.clone()).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.assert_not_stored();
        assert_eq!(made.header("location"), one(tenant, 2));
        assert_eq!(states(&made.json()), [("oauth2-key-1", "active"), ("oauth2-key-2", "announced")]);
        let shown = test_env.get(&ops, made.header("location")).await.json();
        assert_eq!(shown["jwk"]["n"], Forge::foreign().jwk()["n"]);
        assert_eq!(signer(&test_env, tenant).await, "oauth2-key-1");
        import(&test_env, &ops, tenant, body).await.assert_problem(409, "conflict");
        test_env.app.pass(PUBLICATION);
        let token = test_env.app.token(tenant).await;
        assert_eq!(signer(&test_env, tenant).await, "oauth2-key-2");
        assert!(test_env.app.is_active(tenant, &token).await);
    }
}

// [found 16]
/// A key of another tenant is refused, even after that tenant has revoked it. The answer does not
/// name the other tenant.
#[tokio::test]
async fn key_of_another_tenant_is_refused() {
    for [owner, other] in [[ACME, GLOBEX], [GLOBEX, ACME]] {
        let (test_env, ops) = TestEnv::with_ops().await;
        let body = json!({ "key": FOREIGN, "algorithm": "RS256" });
        assert_eq!(import(&test_env, &ops, owner, body.clone()).await.status, 201);
        for revokes in [false, true] {
            if revokes {
                test_env.delete(&ops, &format!("{}?confirm=true", one(owner, 2))).await.assert_status(200);
            }
            let refused = import(&test_env, &ops, other, body.clone()).await;
            refused.assert_faulty(&["/key"]);
            assert!(refused.body.contains("another tenant has, or had, this key"), "{}", refused.body);
            assert!(!refused.body.contains(owner), "{}", refused.body);
            assert_eq!(published(&test_env, other).await, ["oauth2-key-1"]);
        }
        let audit = test_env.app.store.audit();
        let imported = audit.iter().filter(|record| record.action == "key.imported");
        assert!(imported.map(|record| record.tenant.as_str()).eq([owner]));
    }
}

#[tokio::test]
async fn imported_jwk_names_its_algorithm() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        test_env.app.change_tenant(tenant, |tenant| tenant.signing.algorithm = SigningAlgorithm::ES256);
        let ops = test_env.token(PLATFORM, OPS).await;
        let jwk = ec_jwk();
        let made = import(&test_env, &ops, tenant, json!({ "key": jwk.to_string() })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let shown = test_env.get(&ops, made.header("location")).await.json();
        assert_eq!((&shown["jwk"]["x"], &shown["algorithm"]), (&jwk["x"], &json!("ES256")));
        assert!(!made.body.contains(jwk["d"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn invalid_private_key_is_refused_with_its_pointer() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let ops = test_env.token(PLATFORM, OPS).await;
        for (body, pointer) in [
            (json!({}), "/key"),
            (json!({ "key": "hunter2" }), "/key"),
            (json!({ "key": Forge::foreign().jwk().to_string() }), "/key"),
            (json!({ "key": Forge::foreign().jwk() }), "/key"),
            (json!({ "key": FOREIGN, "algorithm": "HS256" }), "/algorithm"),
            (json!({ "key": FOREIGN }), "/algorithm"),
            (json!({ "key": ec_jwk().to_string() }), "/algorithm"),
            (json!({ "key": FOREIGN, "algoritm": "RS256" }), "/algoritm"),
        ] {
            let refused = import(&test_env, &ops, tenant, body.clone()).await;
            refused.assert_faulty(&[pointer]);
            assert!(!refused.body.contains("hunter2"), "{}", refused.body);
        }
        assert_eq!(published(&test_env, tenant).await, ["oauth2-key-1"]);
    }
}

// [found 1]
/// With a tenant's private key one can sign tokens of each of its clients, including its
/// administrators. With a key of `platform` one could administer all tenants.
#[tokio::test]
async fn import_requires_the_tenants_permission() {
    let test_env = TestEnv::start();
    let body = json!({ "key": FOREIGN, "algorithm": "RS256" });
    let (ops, clerk) = (test_env.token(PLATFORM, OPS).await, test_env.token(PLATFORM, KEEPER).await);
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        let all = forged(tenant, KEEPER, "latchkey:tenants latchkey:clients latchkey:keys latchkey:audit");
        for token in [&keeper, &clerk, &all] {
            let refused = import(&test_env, token, tenant, body.clone()).await;
            refused.assert_problem(403, "insufficient-scope");
            assert!(refused.header("www-authenticate").contains("latchkey:tenants"), "{refused:?}");
        }
        assert_eq!(published(&test_env, tenant).await, ["oauth2-key-1"]);
    }
    import(&test_env, &clerk, PLATFORM, body.clone()).await.assert_problem(403, "insufficient-scope");
    import(&test_env, &ops, PLATFORM, body).await.assert_problem(403, "beyond-reach");
    assert_eq!(published(&test_env, PLATFORM).await, ["oauth2-key-1"]);
}

#[tokio::test]
async fn log_has_no_imported_key() {
    capture();
    let test_env = TestEnv::start();
    let jwk = ec_jwk();
    let secrets =
        [FOREIGN.lines().nth(1).unwrap(), FOREIGN.lines().nth(9).unwrap(), jwk["d"].as_str().unwrap()];
    for tenant in [ACME, GLOBEX] {
        let ops = test_env.token(PLATFORM, OPS).await;
        for body in [
            json!({ "key": FOREIGN, "algorithm": "RS256" }),
            json!({ "key": FOREIGN, "algorithm": "ES256" }),
            json!({ "key": FOREIGN.replace("-----END", "----END"), "algorithm": "RS256" }),
            json!({ "key": jwk.to_string() }),
            json!({ "key": jwk }),
            json!({ "kye": FOREIGN }),
        ] {
            let answer = import(&test_env, &ops, tenant, body).await;
            assert!(secrets.iter().all(|secret| !answer.body.contains(secret)), "{}", answer.body);
        }
        let broken = format!("{{\"key\": \"{}", FOREIGN.replace('\n', "\\n"));
        let request = test_env.app.request(Method::POST, &keys_path(tenant)).bearer_auth(&ops);
        Answer::to(request.header("content-type", "application/json").body(broken)).await;
        let path = format!("{}?key={}", keys_path(tenant), jwk["d"].as_str().unwrap());
        test_env.ask(&ops, Ask { body: Some(json!({})), ..ask(Method::POST, &path) }).await;
    }
    for line in capture().lines() {
        let text = format!("{line:?}");
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}
