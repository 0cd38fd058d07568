//! `Idempotency-Key`: a creation whose answer was lost can be repeated, and happens once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::administrators::{Ask, BOSS, CLERK, OPS, PLATFORM, TestEnv, ask, clients_path};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX};

const DAY: u64 = 24 * 3600;

async fn send(test_env: &TestEnv, token: &str, path: &str, key: &str, body: &Value) -> Answer {
    let headers = vec![("idempotency-key", key.to_owned())];
    test_env.ask(token, Ask { body: Some(body.clone()), headers, ..ask(Method::POST, path) }).await
}

#[tokio::test]
async fn the_same_request_is_answered_the_same_and_done_once() {
    let test_env = TestEnv::start();
    let ops = test_env.token(PLATFORM, OPS).await;
    let tenants = "/api/v1/admin/tenants".to_owned();
    test_env.post(&ops, &clients_path(ACME), json!({ "client_id": "web" })).await;
    test_env.post(&ops, &clients_path(GLOBEX), json!({ "client_id": "web" })).await;
    for tenant in [ACME, GLOBEX] {
        let secrets = format!("{}/web/secrets", clients_path(tenant));
        for (path, body, other) in [
            (
                tenants.clone(),
                json!({ "id": format!("{tenant}-2"), "client": {} }),
                json!({ "id": format!("{tenant}-3") }),
            ),
            (clients_path(tenant), json!({ "name": "x" }), json!({ "name": "y" })),
            (secrets.clone(), json!({}), json!({ "expires_at": "2027-01-01T00:00:00Z" })),
            (format!("{secrets}/rotate"), json!({ "grace": 60 }), json!({ "grace": 61 })),
        ] {
            let key = format!("key of {tenant} for {path}");
            let first = send(&test_env, &ops, &path, &key, &body).await;
            assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""), "{}", first.body);
            let again = send(&test_env, &ops, &path, &key, &body).await;
            assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
            assert_eq!(
                (again.body.as_str(), again.header("location")),
                (first.body.as_str(), first.header("location"))
            );
            assert_eq!(again.header("etag"), first.header("etag"));
            let another = send(&test_env, &ops, &path, &key, &other).await;
            another.assert_problem(422, "idempotency-key-reused");
            let fresh = send(&test_env, &ops, &path, &format!("{key} 2"), &other).await;
            assert_eq!((fresh.status, fresh.header("idempotency-replayed")), (201, ""), "{}", fresh.body);
        }
        let live = test_env.get(&ops, &secrets).await.json()["items"].as_array().unwrap().len();
        assert_eq!(live, 5, "the first one, and two of each kind");
    }
}

#[tokio::test]
async fn a_key_is_its_senders_in_its_place() {
    let test_env = TestEnv::start();
    let (ops, clerk) = (test_env.token(PLATFORM, OPS).await, test_env.token(PLATFORM, CLERK).await);
    let body = json!({ "name": "x" });
    let mut ids = Vec::new();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        for token in [&ops, &clerk, &boss] {
            let made = send(&test_env, token, &clients_path(tenant), "k", &body).await;
            assert_eq!((made.status, made.header("idempotency-replayed")), (201, ""), "{}", made.body);
            ids.push(made.json()["client_id"].as_str().unwrap().to_owned());
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[tokio::test]
async fn a_refusal_is_not_kept_and_a_day_later_nothing_is() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let path = clients_path(tenant);
        let faulty = send(&test_env, &boss, &path, "k", &json!({ "scopes": 1 })).await;
        faulty.assert_problem(400, "invalid-request");
        let body = json!({ "name": "x" });
        assert_eq!(send(&test_env, &boss, &path, "k", &body).await.status, 201);
        assert_eq!(send(&test_env, &boss, &path, "k", &body).await.header("idempotency-replayed"), "true");
        test_env.app.pass(DAY);
        let boss = test_env.token(tenant, BOSS).await;
        let late = send(&test_env, &boss, &path, "k", &body).await;
        assert_eq!((late.status, late.header("idempotency-replayed")), (201, ""));
    }
}

#[tokio::test]
async fn a_key_has_a_form() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let boss = test_env.token(tenant, BOSS).await;
        let path = clients_path(tenant);
        for key in ["", &"k".repeat(256), "\u{e9}"] {
            send(&test_env, &boss, &path, key, &json!({})).await.assert_problem(400, "invalid-request");
        }
        assert_eq!(send(&test_env, &boss, &path, &"k".repeat(255), &json!({})).await.status, 201);
        assert_eq!(test_env.get(&boss, &path).await.status, 200);
    }
}
