//! Commands on signing keys: a command that invalidates tokens requires a confirmation, and no
//! command leaves a tenant without a key.

use crate::admin_keys::{one, signer, states};
use crate::prelude::*;

pub(crate) async fn rotate(test_env: &TestEnv, token: &str, tenant: &str, body: Value) -> Answer {
    test_env.post(token, &format!("{}/rotate", keys_path(tenant)), body).await
}

#[tokio::test]
async fn emergency_rotation_requires_confirmation() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let stolen = test_env.app.token(tenant).await;
        let others = (published(&test_env, other).await, test_env.app.token(other).await);
        for body in [json!({ "emergency": true }), json!({ "emergency": true, "confirm": false })] {
            let answer = rotate(&test_env, &ops, tenant, body).await;
            answer.assert_problem(409, "confirmation-needed");
            let document = answer.json();
            assert_eq!(document["breaks"][0]["kid"], "oauth2-key-1", "{}", answer.body);
            let until = document["breaks"][0]["until"].as_str().unwrap();
            assert!(until > "2026-01-01T01:00:00Z", "the longest token lives for an hour: {until}");
            assert!(document["detail"].as_str().unwrap().contains("\"confirm\": true"), "{}", answer.body);
        }
        assert_eq!(published(&test_env, tenant).await, ["oauth2-key-1"]);
        assert!(test_env.app.is_active(tenant, &stolen).await, "nothing was done");

        let done = rotate(&test_env, &ops, tenant, json!({ "emergency": true, "confirm": true })).await;
        let document = done.json_of(200);
        let living: Vec<_> = states(&document).into_iter().filter(|(_, state)| *state != "removed").collect();
        assert_eq!(states(&document)[0], ("oauth2-key-1", "removed"));
        assert_eq!(living[0], ("oauth2-key-2", "active"), "{}", done.body);
        assert_eq!(document["breaks"][0]["kid"], "oauth2-key-1");
        let [old, new] = [&document["items"][0], &document["items"][1]];
        assert_eq!(old["removed_at"], new["active_from"], "{}", done.body);
        assert_eq!(old["retiring_from"], old["removed_at"], "{}", done.body);
        assert!(old["removed_at"].as_str() >= old["active_from"].as_str(), "{}", done.body);
        assert_eq!(published(&test_env, tenant).await[0], "oauth2-key-2");
        assert_eq!(signer(&test_env, tenant).await, "oauth2-key-2");
        assert!(!test_env.app.is_active(tenant, &stolen).await);
        assert!(test_env.app.is_active(tenant, &test_env.app.token(tenant).await).await);
        assert_eq!(published(&test_env, other).await, others.0, "nothing of the other tenant");
        assert!(test_env.app.is_active(other, &others.1).await);
    }
}

/// The client repeats the command because the answer was lost. A second execution would revoke the
/// new key and its tokens.
#[tokio::test]
async fn repeated_emergency_is_executed_once() {
    let (test_env, ops) = TestEnv::with_ops().await;
    let send = async |tenant: &str, key: &str, body: Value| {
        test_env.repeatable(&ops, &format!("{}/rotate", keys_path(tenant)), key, &body).await
    };
    let emergency = json!({ "emergency": true, "confirm": true });
    for tenant in [ACME, GLOBEX] {
        send(tenant, "k", json!({ "emergency": true })).await.assert_problem(409, "confirmation-needed");
        let first = send(tenant, "k", emergency.clone()).await;
        assert_eq!((first.status, first.header("idempotency-replayed")), (200, ""), "{}", first.body);
        let token = test_env.app.token(tenant).await;
        let again = send(tenant, "k", emergency.clone()).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
        assert_eq!(again.body, first.body);
        assert!(test_env.app.is_active(tenant, &token).await);
        send(tenant, "k", json!({})).await.assert_problem(422, "idempotency-key-reused");
    }
}

#[tokio::test]
async fn confirmed_rotation_is_not_an_emergency() {
    let test_env = TestEnv::start();
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        let token = test_env.app.token(tenant).await;
        assert_eq!(rotate(&test_env, &keeper, tenant, json!({ "confirm": true })).await.status, 200);
        assert_eq!(published(&test_env, tenant).await, ["oauth2-key-1", "oauth2-key-2"]);
        assert!(test_env.app.is_active(tenant, &token).await);
    }
}

#[tokio::test]
async fn revocation_requires_confirmation() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let stolen = test_env.app.token(tenant).await;
        let path = one(tenant, 1);
        for query in ["", "?confirm=false", "?confirm="] {
            let answer = test_env.delete(&ops, &format!("{path}{query}")).await;
            answer.assert_problem(409, "confirmation-needed");
            assert_eq!(answer.json()["breaks"][0]["kid"], "oauth2-key-1", "{}", answer.body);
            assert!(answer.json()["detail"].as_str().unwrap().contains("?confirm=true"));
        }
        test_env.delete(&ops, &format!("{path}?confirm=yes")).await.assert_problem(400, "invalid-request");
        assert!(test_env.app.is_active(tenant, &stolen).await);

        let done = test_env.delete(&ops, &format!("{path}?confirm=true")).await.json_of(200);
        assert_eq!(states(&done)[0], ("oauth2-key-1", "removed"));
        assert!(!published(&test_env, tenant).await.contains(&"oauth2-key-1".to_owned()));
        assert!(!test_env.app.is_active(tenant, &stolen).await);
        test_env.delete(&ops, &format!("{path}?confirm=true")).await.assert_problem(409, "conflict");
        test_env.delete(&ops, &path).await.assert_problem(409, "conflict");
        assert_eq!(
            published(&test_env, other).await[0],
            if other == ACME { "oauth2-key-2" } else { "oauth2-key-1" }
        );
    }
}

/// Revoking a key that has not signed invalidates no tokens, but also requires a confirmation.
#[tokio::test]
async fn announced_key_can_be_revoked() {
    let test_env = TestEnv::start();
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        rotate(&test_env, &keeper, tenant, json!({})).await;
        let answer = test_env.delete(&keeper, &one(tenant, 2)).await;
        answer.assert_problem(409, "confirmation-needed");
        assert_eq!(answer.json()["breaks"], json!([]));
        assert_eq!(test_env.delete(&keeper, &format!("{}?confirm=true", one(tenant, 2))).await.status, 200);
        assert_eq!(published(&test_env, tenant).await, ["oauth2-key-1"]);
        assert_eq!(signer(&test_env, tenant).await, "oauth2-key-1");
    }
}

#[tokio::test]
async fn every_command_leaves_a_signing_key() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for tenant in [ACME, GLOBEX] {
        for round in 0..3 {
            for number in 1..=6 {
                test_env.delete(&ops, &format!("{}?confirm=true", one(tenant, number))).await;
                assert!(!published(&test_env, tenant).await.is_empty(), "{tenant} {round} {number}");
                test_env.app.token(tenant).await;
            }
            for body in [json!({}), json!({ "emergency": true, "confirm": true }), json!({})] {
                assert_eq!(rotate(&test_env, &ops, tenant, body).await.status, 200);
                assert!(!published(&test_env, tenant).await.is_empty(), "{tenant} {round}");
                test_env.app.token(tenant).await;
            }
        }
    }
}

/// Revoking the key also revokes the administrator's own token of the tenant. A token of the
/// platform stays valid.
#[tokio::test]
async fn revoking_the_key_of_ones_own_token_ends_access() {
    let (test_env, ops) = TestEnv::with_ops().await;
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (keeper, colleague) = (test_env.token(tenant, KEEPER).await, test_env.token(other, KEEPER).await);
        let body = json!({ "emergency": true, "confirm": true });
        assert_eq!(rotate(&test_env, &keeper, tenant, body).await.status, 200);
        test_env.get(&keeper, &keys_path(tenant)).await.assert_problem(401, "invalid-token");
        let again = test_env.token(tenant, KEEPER).await;
        for (token, tenant) in [(&again, tenant), (&colleague, other), (&ops, tenant)] {
            assert_eq!(test_env.get(token, &keys_path(tenant)).await.status, 200);
        }
    }
}
