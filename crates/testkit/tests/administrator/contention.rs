//! Tests concurrent writers of one tenant, in one process and in several.

use std::sync::Arc;
use tenancy::Tenant;

use administration::{EditError, NewSecretSettings};
use serde_json::json;
use testkit::Failure;
use testkit::fixtures::{NOW, client_id, tenant_id};

use crate::test_env::{TestEnv, caller, env, idempotency_key, new_client, new_tenant, operator, repeating};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_create_the_same_tenant_one_succeeds() {
    let first = env();
    let test_env: Vec<Arc<TestEnv>> = (0..4).map(|_| Arc::new(first.beside())).collect();
    let tasks: Vec<_> = (0..16)
        .map(|index| {
            let env = Arc::clone(&test_env[index % 4]);
            tokio::spawn(async move {
                let new = new_tenant(json!({ "id": "acme", "client": { "client_id": format!("c{index}") } }));
                env.administrator.create_tenant(&caller(&operator(), NOW), new).await
            })
        })
        .collect();
    let mut made = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(answer) => made.push(answer.value.client.unwrap().client.client_id),
            Err(EditError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(made.len(), 1);
    let page = first
        .administrator
        .clients(&caller(&operator(), NOW), &tenant_id("acme"), None, None, 50)
        .await
        .unwrap();
    let ids: Vec<_> = page.items.into_iter().map(|client| client.client_id).collect();
    assert_eq!(ids, made, "the others have left nothing behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_concurrent_repetitions_one_is_executed_and_all_get_its_answer() {
    let first = env();
    let acme = first.tenant("acme").await;
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (env, acme) = (first.beside(), acme.clone());
            tokio::spawn(async move {
                let key = idempotency_key("k", 1);
                env.administrator
                    .create_client(&repeating(&operator(), NOW, Some(&key)), &acme, new_client(json!({})))
                    .await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap().unwrap());
    }
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| answer.value == answers[0].value));
}

#[tokio::test]
async fn a_stale_decision_is_made_again_on_the_current_state() {
    let one = env();
    let (acme, _) = one.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let test_env = [one.beside(), one.beside(), one.beside()];
    let before = one.store.calls().administration;
    let held = one.store.hold_answers().await;
    let tasks: Vec<_> = test_env
        .into_iter()
        .map(|env| {
            let acme = acme.clone();
            tokio::spawn(async move {
                let new = NewSecretSettings::default();
                env.administrator
                    .create_secret(&caller(&operator(), NOW), &acme, &client_id("svc"), new)
                    .await
            })
        })
        .collect();
    // All have read the same revision before any of them writes.
    while one.store.calls().administration < before + 3 {
        tokio::task::yield_now().await;
    }
    drop(held);
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap().unwrap().value.secret.id);
    }
    ids.sort();
    assert_eq!(ids, ["s2", "s3", "s4"]);
}

#[tokio::test]
async fn a_store_that_is_down_is_reported_and_nothing_is_published() {
    let env = env();
    let acme = env.tenant("acme").await;
    env.published.lock().unwrap().clear();
    env.store.fail_with(Failure::Unavailable);
    let patched = env
        .administrator
        .patch::<Tenant>(&caller(&operator(), NOW), &acme, &(), json!({ "name": "A" }))
        .await;
    assert!(matches!(patched, Err(EditError::Store(_))));
    assert_eq!(*env.published.lock().unwrap(), []);
}

/// Handlers and background tasks run on any thread.
#[tokio::test]
async fn futures_of_the_administrator_are_send() {
    fn sendable<T: Send>(work: T) -> T {
        work
    }
    let env = env();
    let acme = env.tenant("acme").await;
    let (by, administrator) = (operator(), &env.administrator);
    sendable(administrator.patch::<Tenant>(&caller(&by, NOW), &acme, &(), json!({}))).await.unwrap();
    sendable(administrator.init_admin(&caller(&by, NOW), "root")).await.unwrap();
    assert_eq!(sendable(administrator.delete_due_tenants(NOW)).await.unwrap(), 0);
}
