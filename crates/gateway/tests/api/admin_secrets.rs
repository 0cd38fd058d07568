//! `…/clients/{client}/secrets…`: a secret is replaced while the old one still opens, and no value is shown twice.

use reqwest::Method;
use serde_json::{Value, json};

use crate::administrators::{BOSS, House, ask, clients_path};
use crate::app::{ACME, GLOBEX};

/// A client with the path of its secrets and its first secret.
async fn client(house: &House, boss: &str, tenant: &str) -> (String, String) {
    let made = house.post(boss, &clients_path(tenant), json!({ "client_id": "web" })).await.json();
    let secret = made["secret"]["client_secret"].as_str().unwrap().to_owned();
    (format!("{}/web/secrets", clients_path(tenant)), secret)
}

fn value(secret: &Value) -> &str {
    secret["client_secret"].as_str().unwrap()
}

#[tokio::test]
async fn a_new_secret_opens_beside_the_old_one_until_that_is_revoked() {
    let house = House::start();
    for tenant in [ACME, GLOBEX] {
        let boss = house.token(tenant, BOSS).await;
        let (path, old) = client(&house, &boss, tenant).await;
        let made = house.ask(&boss, ask(Method::POST, &path)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.assert_not_stored();
        let new = made.json();
        assert_eq!(made.header("location"), format!("{path}/{}", new["id"].as_str().unwrap()));
        assert!(house.opens(tenant, "web", &old).await && house.opens(tenant, "web", value(&new)).await);

        let list = house.get(&boss, &path).await;
        let items = list.json()["items"].as_array().unwrap().clone();
        assert_eq!((list.status, items.len()), (200, 2));
        assert!(!list.body.contains(value(&new)) && !list.body.contains(&old), "{}", list.body);
        let first = items.iter().find(|secret| secret["id"] != new["id"]).unwrap()["id"].as_str().unwrap();
        let revoked = house.delete(&boss, &format!("{path}/{first}")).await;
        assert_eq!((revoked.status, &revoked.json()["status"]), (200, &json!("revoked")), "{}", revoked.body);
        assert!(!house.opens(tenant, "web", &old).await && house.opens(tenant, "web", value(&new)).await);
    }
}

#[tokio::test]
async fn a_rotation_ends_the_old_secrets_after_its_grace() {
    let house = House::start();
    for tenant in [ACME, GLOBEX] {
        let boss = house.token(tenant, BOSS).await;
        let (path, old) = client(&house, &boss, tenant).await;
        let rotated = house.post(&boss, &format!("{path}/rotate"), json!({ "grace": 600 })).await;
        assert_eq!(rotated.status, 201, "{}", rotated.body);
        let new = rotated.json();
        house.app.pass(599);
        assert!(house.opens(tenant, "web", &old).await);
        house.app.pass(1);
        assert!(!house.opens(tenant, "web", &old).await && house.opens(tenant, "web", value(&new)).await);
    }
}

#[tokio::test]
async fn a_secrets_end_can_be_moved() {
    let house = House::start();
    for tenant in [ACME, GLOBEX] {
        let boss = house.token(tenant, BOSS).await;
        let (path, _) = client(&house, &boss, tenant).await;
        let end = |seconds| {
            let at = protocol::Timestamp::from_seconds(house.app.now() + seconds).to_rfc3339();
            json!({ "expires_at": at })
        };
        let made = house.post(&boss, &path, end(60)).await.json();
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let moved = house.patch(&boss, &one, end(120)).await;
        assert_eq!(
            (moved.status, &moved.json()["expires_at"]),
            (200, &end(120)["expires_at"]),
            "{}",
            moved.body
        );
        house.app.pass(119);
        assert!(house.opens(tenant, "web", value(&made)).await);
        let endless = house.patch(&boss, &one, json!({ "expires_at": null })).await;
        assert_eq!((endless.status, &endless.json()["expires_at"]), (200, &Value::Null));
        house.app.pass(2);
        assert!(house.opens(tenant, "web", value(&made)).await);
        let silent = house.patch(&boss, &one, json!({})).await;
        silent.assert_problem(400, "invalid-request");
        assert_eq!(silent.pointers(), ["/expires_at"]);
    }
}

#[tokio::test]
async fn as_many_secrets_are_live_as_the_limit_says() {
    let house = House::start();
    for tenant in [ACME, GLOBEX] {
        let boss = house.token(tenant, BOSS).await;
        let (path, _) = client(&house, &boss, tenant).await;
        for _ in 1..5 {
            assert_eq!(house.ask(&boss, ask(Method::POST, &path)).await.status, 201);
        }
        house.ask(&boss, ask(Method::POST, &path)).await.assert_problem(409, "conflict");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let house = House::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = house.token(tenant, BOSS).await;
        let (path, _) = client(&house, &boss, tenant).await;
        for secret in ["nobody", "%ff", "%00"] {
            house.delete(&boss, &format!("{path}/{secret}")).await.assert_problem(404, "not-found");
        }
        let missing = format!("{}/missing/secrets", clients_path(tenant));
        house.get(&boss, &missing).await.assert_problem(404, "not-found");
        let theirs = format!("{}/svc/secrets", clients_path(other));
        house.get(&boss, &theirs).await.assert_problem(401, "invalid-token");
    }
}
