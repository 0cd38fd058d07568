//! Tests concurrent writers of one tenant, in one process and in several, and repeated requests.

use administration::documents::NewSecretSettings;
use administration::edit::EditError;
use administration::kinds::authority::Authority;
use serde_json::json;
use tenancy::Tenant;
use testkit::fixtures::{NOW, client_id};
use testkit::{Failure, at_once};

use crate::test_env::{env, idempotency_key, new_client, now, of_tenant, operator, repeating};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_repetitions_are_executed_once() {
    let first = env();
    let acme = first.tenant("acme").await;
    let by = repeating(&operator(), NOW, Some(&idempotency_key("k", 1)));
    let creations = (0..12).map(|_| {
        let (env, acme, by) = (first.beside(), acme.clone(), by.clone());
        async move { env.administrator.of(&by, &acme).create_client(new_client(json!({}))).await.unwrap() }
    });
    let answers = at_once(creations).await;
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| answer.value == answers[0].value));
}

#[tokio::test]
async fn stored_answer_requires_the_permission() {
    let env = env();
    let acme = env.tenant("acme").await;
    let key = idempotency_key("k", 1);
    let create = async |by: &Authority| {
        let by = repeating(by, NOW, Some(&key));
        env.administrator.of(&by, &acme).create_client(new_client(json!({}))).await
    };
    create(&of_tenant("acme", "latchkey:clients")).await.unwrap();
    let again = create(&of_tenant("acme", "latchkey:audit")).await;
    assert!(matches!(again, Err(EditError::Forbidden(_))));
}

#[tokio::test]
async fn stale_decision_is_repeated_on_current_state() {
    let one = env();
    let (acme, _) = one.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (before, held) = (one.store.calls().administration, one.store.hold_answers().await);
    let create = |_| {
        let (env, acme, new) = (one.beside(), acme.clone(), NewSecretSettings::default());
        let svc = client_id("svc");
        tokio::spawn(async move { env.administrator.of(&now(), &acme).create_secret(&svc, new).await })
    };
    let tasks: Vec<_> = (0..3).map(create).collect();
    // All have read the same revision before any of them writes.
    one.store.until(|calls| calls.administration >= before + 3).await;
    drop(held);
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap().unwrap().value.secret.id);
    }
    ids.sort();
    assert_eq!(ids, ["s2", "s3", "s4"]);
}

#[tokio::test]
async fn nothing_is_published_when_the_commit_fails() {
    let env = env();
    let acme = env.tenant("acme").await;
    env.published.lock().unwrap().clear();
    env.store.fail_with(Failure::Unavailable);
    let patched = env.administrator.of(&now(), &acme).patch::<Tenant>(&(), json!({ "name": "A" })).await;
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
    let administrator = &env.administrator;
    sendable(administrator.of(&now(), &acme).patch::<Tenant>(&(), json!({}))).await.unwrap();
    sendable(administrator.init_admin(&now(), "root")).await.unwrap();
    assert_eq!(sendable(administrator.delete_due_tenants(NOW)).await.unwrap(), 0);
}
