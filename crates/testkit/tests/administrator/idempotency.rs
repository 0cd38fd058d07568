//! A repeated request creates nothing twice and gets the first answer.

use administration::{EditError, NewSecretSettings, RotateSettings};
use serde_json::json;
use testkit::fixtures::{NOW, client_id};

use crate::test_env::{
    caller, env, idempotency_key, later, new_client, new_tenant, of_tenant, operator, repeating,
};

#[tokio::test]
async fn a_repetition_gets_the_same_answer_with_the_same_secret() {
    let env = env();
    let administrator = &env.administrator;
    let key = idempotency_key("k", 1);
    let new = || new_tenant(json!({ "id": "acme", "client": { "scopes": ["read"] } }));
    let first = administrator.create_tenant(&repeating(&operator(), NOW, Some(&key)), new()).await.unwrap();
    let again = env
        .beside()
        .administrator
        .create_tenant(&repeating(&operator(), later(60), Some(&key)), new())
        .await
        .unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(again.value, first.value);
    let other = administrator
        .create_tenant(&repeating(&operator(), NOW, Some(&idempotency_key("k", 2))), new())
        .await;
    assert!(matches!(other, Err(EditError::IdempotencyKeyReused)));
    let without = administrator.create_tenant(&caller(&operator(), NOW), new()).await;
    assert!(matches!(without, Err(EditError::Conflict(_))));
}

#[tokio::test]
async fn each_operation_client_and_actor_has_keys_of_its_own() {
    let env = env();
    let (acme, _) = env.tenant_with("acme", json!({ "client_id": "a" })).await;
    let (administrator, key) = (&env.administrator, idempotency_key("k", 1));
    administrator
        .create_client(
            &repeating(&operator(), NOW, Some(&key)),
            &acme,
            new_client(json!({ "client_id": "b" })),
        )
        .await
        .unwrap();
    for client in ["a", "b"] {
        let id = client_id(client);
        for by in [operator(), of_tenant("acme", "latchkey:clients")] {
            let new = NewSecretSettings::default();
            let made =
                administrator.create_secret(&repeating(&by, NOW, Some(&key)), &acme, &id, new).await.unwrap();
            assert!(!made.replayed);
        }
        let rotated = administrator
            .rotate_secret(&repeating(&operator(), NOW, Some(&key)), &acme, &id, RotateSettings::default())
            .await;
        assert!(!rotated.unwrap().replayed);
    }
    let id = client_id("a");
    let again = administrator
        .rotate_secret(&repeating(&operator(), NOW, Some(&key)), &acme, &id, RotateSettings::default())
        .await
        .unwrap();
    assert!(again.replayed);
    assert_eq!(administrator.secrets(&caller(&operator(), NOW), &acme, &id).await.unwrap().len(), 4);
}

#[tokio::test]
async fn an_answer_expires_after_a_day_and_a_refusal_is_not_stored() {
    let env = env();
    let acme = env.tenant("acme").await;
    let (administrator, key) = (&env.administrator, idempotency_key("k", 1));
    let bad = administrator
        .create_client(&repeating(&operator(), NOW, Some(&key)), &acme, new_client(json!({ "scopes": [""] })))
        .await;
    assert!(matches!(bad, Err(EditError::Invalid(_))));
    let create = async |now| {
        let made = administrator
            .create_client(&repeating(&operator(), now, Some(&key)), &acme, new_client(json!({})))
            .await;
        made.unwrap()
    };
    let first = create(NOW).await;
    assert_eq!(create(later(86_399)).await.value, first.value);
    let later = create(later(86_400)).await;
    assert!(!later.replayed && later.value.client.client_id != first.value.client.client_id);
}

#[tokio::test]
async fn a_caller_without_permission_gets_no_stored_answer() {
    let env = env();
    let acme = env.tenant("acme").await;
    let key = idempotency_key("k", 1);
    let ops = of_tenant("acme", "latchkey:clients");
    env.administrator
        .create_client(&repeating(&ops, NOW, Some(&key)), &acme, new_client(json!({})))
        .await
        .unwrap();
    let demoted = of_tenant("acme", "latchkey:audit");
    let again = env
        .administrator
        .create_client(&repeating(&demoted, NOW, Some(&key)), &acme, new_client(json!({})))
        .await;
    assert!(matches!(again, Err(EditError::Forbidden(_))));
}
