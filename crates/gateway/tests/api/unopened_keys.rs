//! A tenant whose keys cannot be decrypted. Callers get a short error, the operator learns which
//! key failed and why, and other tenants are served.

use administration::store::{SealedItems as _, SealedPlace};
use keys::{KeyEncryptionKey as _, SealingKey, SigningKeyStore as _};

use crate::prelude::*;

/// Encrypts the tenant's key with another sealing key, as after a wrong change of the sealing key.
async fn seal_again(app: &TestApp, tenant: &str, sealing_key: &SealingKey) {
    let tenant = fixtures::tenant_id(tenant);
    let record = Forge::from_tenant(tenant.as_str()).record(&tenant, sealing_key);
    let place =
        SealedPlace::SigningKey { tenant: tenant.clone(), id: record.id, algorithm: record.algorithm };
    let old = app.store.find_keys(&tenant).await.unwrap().keys[0].sealed_private_key.clone();
    assert!(app.store.replace_sealed(&place, &old, &record.sealed_private_key).await.unwrap());
}

fn form<'a>(app: &'a TestApp, tenant: &str) -> [(&'a str, &'a str); 3] {
    credentials(SVC, app.secrets(tenant).of(SVC))
}

// [V11 11.2.5]
#[tokio::test]
async fn affected_tenant_fails_and_the_other_is_served() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        seal_again(&app, tenant, &SealingKey::generate().unwrap()).await;
        for _ in 0..3 {
            let token = app.post(&token_path(tenant), &form(&app, tenant)).await;
            token.assert_refused(500, "server_error", "The server failed to answer");
            let keys = app.get(&tenant_path(tenant, "/.well-known/jwks.json")).await;
            keys.assert_refused(500, "server_error", "The server failed to answer");
            app.token(other).await;
            assert_eq!(app.get(&tenant_path(other, "/.well-known/jwks.json")).await.status, 200);
        }
        seal_again(&app, tenant, &SealingKey::from_base64(&app.sealing_key.to_base64()).unwrap()).await;
        serves_again(&app, tenant).await;
    }
}

/// Waits, because the failure is cached for a second.
async fn serves_again(app: &TestApp, tenant: &str) {
    for _ in 0..50 {
        if app.post(&token_path(tenant), &form(app, tenant)).await.status == 200 {
            return;
        }
        app.pass(1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{tenant} does not serve again");
}

#[tokio::test]
async fn failure_is_logged_once_with_its_sealing_key() {
    capture();
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let foreign = SealingKey::generate().unwrap();
        seal_again(&app, tenant, &foreign).await;
        for _ in 0..40 {
            assert_eq!(app.post(&token_path(tenant), &form(&app, tenant)).await.status, 500);
            app.pass(1);
        }
        let name = foreign.name().to_owned();
        let lines: Vec<_> = capture().lines().into_iter().map(|line| format!("{line:?}")).collect();
        let text: Vec<_> = lines.iter().filter(|line| line.contains(&name)).collect();
        assert_eq!(text.len(), 1, "{text:?}");
        let hint = format!("latchkey key revoke {tenant} oauth2-key-1");
        for words in [tenant, "oauth2-key-1", "keys.former_sealing_keys", &hint] {
            assert!(text[0].contains(words), "{words:?} in {text:?}");
        }
    }
}

/// Administrators can still list the keys and see the failure.
#[tokio::test]
async fn platform_can_still_administer_the_tenant() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (own, others) = (test_env.token(tenant, BOSS).await, test_env.token(other, BOSS).await);
        let foreign = SealingKey::generate().unwrap();
        seal_again(&test_env.app, tenant, &foreign).await;
        let status = test_env.get(&ops, &format!("{}/status", keys_path(tenant))).await.json();
        let unopened = &status["unopened"][0];
        assert_eq!(unopened["kid"], "oauth2-key-1", "{status}");
        assert!(unopened["problem"].as_str().unwrap().contains(foreign.name()), "{status}");
        let status = test_env.get(&ops, &format!("{}/status", keys_path(other))).await.json();
        assert_eq!(status.get("unopened"), None, "{status}");
        assert_eq!(test_env.get(&ops, &clients_path(tenant)).await.status, 200);
        assert_eq!(test_env.get(&ops, &keys_path(tenant)).await.status, 200);
        test_env.get(&own, &clients_path(tenant)).await.assert_problem(500, "server-error");
        assert_eq!(test_env.get(&others, &clients_path(other)).await.status, 200);
        let one = format!("{}/oauth2-key-1", keys_path(tenant));
        test_env.get(&ops, &one).await.assert_problem(500, "server-error");
        let copy = SealingKey::from_base64(&test_env.app.sealing_key.to_base64()).unwrap();
        seal_again(&test_env.app, tenant, &copy).await;
        serves_again(&test_env.app, tenant).await;
    }
}

/// A tenant's administrator must not learn which sealing keys exist or how the store is protected.
#[tokio::test]
async fn tenant_administrator_sees_only_which_key_failed() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let keeper = test_env.token(tenant, KEEPER).await;
        test_env.rotate(&ops, tenant).await;
        let id = fixtures::tenant_id(tenant);
        let announced = test_env.app.store.find_keys(&id).await.unwrap().keys[1].clone();
        let place = SealedPlace::SigningKey { tenant: id, id: announced.id, algorithm: announced.algorithm };
        let damaged = b"damaged";
        let store = &test_env.app.store;
        assert!(store.replace_sealed(&place, &announced.sealed_private_key, damaged).await.unwrap());
        let problem = async |token: &str, tenant: &str| {
            let status = test_env.get(token, &format!("{}/status", keys_path(tenant))).await.json();
            status["unopened"].as_array().map(|unopened| {
                assert_eq!(unopened[0]["kid"], "oauth2-key-2", "{status}");
                unopened[0]["problem"].as_str().unwrap().to_owned()
            })
        };
        let text = "only the operator of this server can fix this; the server log says how";
        assert_eq!(problem(&keeper, tenant).await.as_deref(), Some(text));
        let text = problem(&ops, tenant).await.unwrap();
        assert!(text.contains("latchkey key revoke") && text.contains("restore the row"), "{text}");
        if tenant == ACME {
            assert_eq!(problem(&ops, other).await, None);
        }
    }
}

/// Without the keys of the tenant `platform`, its administrators cannot sign in, but those of other
/// tenants can.
#[tokio::test]
async fn tenants_administer_themselves_without_the_platforms_keys() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let keepers =
        [(ACME, test_env.token(ACME, KEEPER).await), (GLOBEX, test_env.token(GLOBEX, KEEPER).await)];
    seal_again(&test_env.app, PLATFORM, &SealingKey::generate().unwrap()).await;
    for (tenant, keeper) in &keepers {
        assert_eq!(test_env.get(keeper, &keys_path(tenant)).await.status, 200);
        test_env.get(&ops, &keys_path(tenant)).await.assert_problem(500, "server-error");
    }
}
