//! A tenant whose keys cannot be opened: it fails in few words, the operator is told which key and why, and everybody else goes on.

use std::time::Duration;

use administration::{AdministrationStore as _, SealedPlace};
use keys::{SealingKey, SigningKeyStore as _};
use testkit::fixtures;

use crate::administrators::{BOSS, House, KEEPER, OPS, PLATFORM, clients_path, keys_path};
use crate::app::{ACME, GLOBEX, TestApp, tenant_path, token_path};
use crate::capture::capture;
use crate::forge::Forge;
use crate::people::SVC;

/// Puts the tenant's key under another sealing key, as a careless change of it does.
async fn seal_again(app: &TestApp, tenant: &str, sealing_key: &SealingKey) {
    let tenant = fixtures::tenant_id(tenant);
    let record = Forge::of(tenant.as_str()).record(&tenant, sealing_key);
    let place =
        SealedPlace::SigningKey { tenant: tenant.clone(), id: record.id, algorithm: record.algorithm };
    let old = app.store.find_keys(&tenant).await.unwrap().keys[0].sealed_private_key.clone();
    assert!(app.store.replace_sealed(&place, &old, &record.sealed_private_key).await.unwrap());
}

fn form<'a>(app: &'a TestApp, tenant: &str) -> [(&'static str, &'a str); 3] {
    let secret = app.secrets(tenant).of(SVC);
    [("grant_type", "client_credentials"), ("client_id", SVC), ("client_secret", secret)]
}

#[tokio::test]
async fn the_tenant_fails_in_few_words_and_the_other_goes_on() {
    let app = TestApp::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let foreign = SealingKey::generate().unwrap();
        seal_again(&app, tenant, &foreign).await;
        for _ in 0..3 {
            let token = app.post(&token_path(tenant), &form(&app, tenant)).await;
            token.assert_refused(500, "server_error", "The server failed to answer");
            let keys = app.get(&tenant_path(tenant, "/.well-known/jwks.json")).await;
            keys.assert_refused(500, "server_error", "The server failed to answer");
            app.token(other).await;
            assert_eq!(app.get(&tenant_path(other, "/.well-known/jwks.json")).await.status, 200);
        }
        let copy = SealingKey::from_base64(&app.sealing_key.to_base64()).unwrap();
        seal_again(&app, tenant, &copy).await;
        serves_again(&app, tenant).await;
    }
}

/// A failure is remembered for a second.
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
async fn the_operator_is_told_tenant_key_and_sealing_key_and_not_once_a_request() {
    capture();
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let foreign = SealingKey::generate().unwrap();
        seal_again(&app, tenant, &foreign).await;
        for _ in 0..40 {
            assert_eq!(app.post(&token_path(tenant), &form(&app, tenant)).await.status, 500);
            app.pass(1);
        }
        let name = foreign.id().to_string();
        let lines: Vec<_> = capture().lines().into_iter().map(|line| format!("{line:?}")).collect();
        let told: Vec<_> = lines.iter().filter(|line| line.contains(&name)).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(tenant) && told[0].contains("oauth2-key-1"), "{told:?}");
    }
}

/// Whoever administers can still look, and be told.
#[tokio::test]
async fn the_platform_still_reaches_the_tenant() {
    let house = House::start();
    let ops = house.token(PLATFORM, OPS).await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (own, others) = (house.token(tenant, BOSS).await, house.token(other, BOSS).await);
        seal_again(&house.app, tenant, &SealingKey::generate().unwrap()).await;
        assert_eq!(house.get(&ops, &clients_path(tenant)).await.status, 200);
        assert_eq!(house.get(&ops, &keys_path(tenant)).await.status, 200);
        house.get(&own, &clients_path(tenant)).await.assert_problem(500, "server-error");
        assert_eq!(house.get(&others, &clients_path(other)).await.status, 200);
        let one = format!("{}/oauth2-key-1", keys_path(tenant));
        house.get(&ops, &one).await.assert_problem(500, "server-error");
        let copy = SealingKey::from_base64(&house.app.sealing_key.to_base64()).unwrap();
        seal_again(&house.app, tenant, &copy).await;
        serves_again(&house.app, tenant).await;
    }
}

/// The platform is a tenant too: without its keys its own administrators are out, and nobody else.
#[tokio::test]
async fn tenants_administer_themselves_without_the_platforms_keys() {
    let house = House::start();
    let ops = house.token(PLATFORM, OPS).await;
    let keepers = [(ACME, house.token(ACME, KEEPER).await), (GLOBEX, house.token(GLOBEX, KEEPER).await)];
    seal_again(&house.app, PLATFORM, &SealingKey::generate().unwrap()).await;
    for (tenant, keeper) in &keepers {
        assert_eq!(house.get(keeper, &keys_path(tenant)).await.status, 200);
        house.get(&ops, &keys_path(tenant)).await.assert_problem(500, "server-error");
    }
}
