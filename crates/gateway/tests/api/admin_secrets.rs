//! `…/clients/{client}/secrets…`: a new secret is added while the old one stays valid, and no value
//! is shown twice.

use crate::prelude::*;

/// Creates a client. Returns the path of its secrets and its first secret.
async fn client(test_env: &TestEnv, boss: &str, tenant: &str) -> (String, String) {
    let made = test_env.post(boss, &clients_path(tenant), json!({ "client_id": "web" })).await.json();
    let secret = made["secret"]["client_secret"].as_str().unwrap().to_owned();
    (format!("{}/web/secrets", clients_path(tenant)), secret)
}

/// Whether the token endpoint accepts each of the two secrets.
async fn opens(test_env: &TestEnv, tenant: &str, [old, new]: [&str; 2]) -> [bool; 2] {
    [test_env.opens(tenant, "web", old).await, test_env.opens(tenant, "web", new).await]
}

fn value(secret: &Value) -> &str {
    secret["client_secret"].as_str().unwrap()
}

#[tokio::test]
async fn new_secret_works_in_addition_to_the_old_one() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let (path, old) = client(&test_env, &boss, tenant).await;
        let made = test_env.step(&boss, &path).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.assert_not_stored();
        let new = made.json();
        assert_eq!(made.header("location"), format!("{path}/{}", new["id"].as_str().unwrap()));
        assert_eq!(opens(&test_env, tenant, [&old, value(&new)]).await, [true, true]);

        let list = test_env.get(&boss, &path).await;
        let items = list.json()["items"].as_array().unwrap().clone();
        assert_eq!((list.status, items.len()), (200, 2));
        assert!(!list.body.contains(value(&new)) && !list.body.contains(&old), "{}", list.body);
        let first = items.iter().find(|secret| secret["id"] != new["id"]).unwrap()["id"].as_str().unwrap();
        let revoked = test_env.delete(&boss, &format!("{path}/{first}")).await;
        assert_eq!((revoked.status, &revoked.json()["status"]), (200, &json!("revoked")), "{}", revoked.body);
        assert_eq!(opens(&test_env, tenant, [&old, value(&new)]).await, [false, true]);
    }
}

// [V13 13.3.4]
#[tokio::test]
async fn rotation_expires_old_secrets_after_the_grace() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let (path, old) = client(&test_env, &boss, tenant).await;
        let new = test_env.post(&boss, &format!("{path}/rotate"), json!({ "grace": 600 })).await.json_of(201);
        test_env.app.pass(599);
        assert!(test_env.opens(tenant, "web", &old).await);
        test_env.app.pass(1);
        assert_eq!(opens(&test_env, tenant, [&old, value(&new)]).await, [false, true]);
        test_env.post(&test_env.token(tenant, BOSS).await, &format!("{path}/rotate"), json!({})).await;
        for (seconds, opens) in [(86_399, true), (1, false)] {
            test_env.app.pass(seconds);
            assert_eq!(test_env.opens(tenant, "web", value(&new)).await, opens, "a day by default");
        }
    }
}

#[tokio::test]
async fn expiry_of_a_secret_can_be_changed() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let (path, _) = client(&test_env, &boss, tenant).await;
        let end = |seconds| {
            let at = values::Timestamp::from_seconds(test_env.app.now() + seconds).to_rfc3339();
            json!({ "expires_at": at })
        };
        let made = test_env.post(&boss, &path, end(60)).await.json();
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let moved = test_env.patch(&boss, &one, end(120)).await;
        assert_eq!(moved.json_of(200)["expires_at"], end(120)["expires_at"]);
        let list = test_env.get(&boss, &path).await.json();
        assert!(list["items"].as_array().unwrap().contains(&moved.json()), "{list}");
        test_env.app.pass(119);
        assert!(test_env.opens(tenant, "web", value(&made)).await);
        let endless = test_env.patch(&boss, &one, json!({ "expires_at": null })).await;
        assert_eq!((endless.status, &endless.json()["expires_at"]), (200, &Value::Null));
        test_env.app.pass(2);
        assert!(test_env.opens(tenant, "web", value(&made)).await);
        test_env.patch(&boss, &one, json!({})).await.assert_faulty(&["/expires_at"]);
    }
}

// [limits #27]: live secrets of a client | `limits.live_secrets`, 5 | 409
#[tokio::test]
async fn number_of_live_secrets_is_limited() {
    let test_env = TestEnv::start();
    for (tenant, boss) in test_env.of_each(BOSS).await {
        let (path, _) = client(&test_env, &boss, tenant).await;
        for _ in 1..5 {
            assert_eq!(test_env.step(&boss, &path).await.status, 201);
        }
        test_env.step(&boss, &path).await.assert_problem(409, "conflict");
        test_env.delete(&boss, &format!("{path}/s3")).await;
        assert_eq!(test_env.step(&boss, &path).await.json_of(201)["id"], "s6");
    }
}

#[tokio::test]
async fn unknown_secret_or_client_is_not_found() {
    let test_env = TestEnv::start();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let boss = test_env.token(tenant, BOSS).await;
        let (path, _) = client(&test_env, &boss, tenant).await;
        for secret in ["nobody", "%ff", "%00"] {
            test_env.delete(&boss, &format!("{path}/{secret}")).await.assert_problem(404, "not-found");
        }
        let missing = format!("{}/missing/secrets", clients_path(tenant));
        test_env.get(&boss, &missing).await.assert_problem(404, "not-found");
        let theirs = format!("{}/svc/secrets", clients_path(other));
        test_env.get(&boss, &theirs).await.assert_problem(401, "invalid-token");
    }
}
