//! Two tenants with equal names for everything do not affect each other.

use administration::{AuditQuery, EditError, NewSecretSettings};
use registry::SecretId;
use serde_json::json;
use testkit::fixtures::{NOW, client_id};

use crate::test_env::{env, idempotency_key, new_client, of_tenant, operator};

#[tokio::test]
async fn what_is_done_in_one_tenant_is_not_done_in_the_other() {
    let env = env();
    let (acme, of_acme) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (globex, of_globex) = env.tenant_with("globex", json!({ "client_id": "svc" })).await;
    let (administrator, svc) = (&env.administrator, client_id("svc"));
    let [in_acme, in_globex] = [of_acme, of_globex].map(|client| client.secret.unwrap().client_secret);
    assert!(!env.opens(&globex, &svc, &in_acme, NOW).await);
    let before = (
        env.client(&globex, "svc").await,
        administrator.secrets(&operator(), &globex, &svc, NOW).await.unwrap(),
    );
    administrator.patch_client(&operator(), &acme, &svc, json!({ "name": "A" }), None, NOW).await.unwrap();
    administrator
        .create_secret(&operator(), &acme, &svc, NewSecretSettings::default(), None, NOW)
        .await
        .unwrap();
    administrator.revoke_secret(&operator(), &acme, &svc, &SecretId::new("s1"), NOW).await.unwrap();
    administrator.suspend_client(&operator(), &acme, &svc, None, NOW).await.unwrap();
    administrator.delete_client(&operator(), &acme, &svc, None, NOW).await.unwrap();
    administrator.schedule_tenant_deletion(&operator(), &acme, None, NOW).await.unwrap();
    administrator.delete_tenant(&operator(), &acme, None, NOW).await.unwrap();
    let after = (
        env.client(&globex, "svc").await,
        administrator.secrets(&operator(), &globex, &svc, NOW).await.unwrap(),
    );
    assert_eq!(after, before);
    assert!(env.opens(&globex, &svc, &in_globex, NOW).await);
}

#[tokio::test]
async fn an_administrator_of_one_tenant_sees_and_does_nothing_in_the_other() {
    let env = env();
    let (acme, _) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let globex = env.tenant("globex").await;
    let (administrator, svc) = (&env.administrator, client_id("svc"));
    let ops = of_tenant("globex", "latchkey:clients latchkey:audit");
    let new = || new_client(json!({ "client_id": "x" }));
    let refusals = [
        administrator.create_client(&ops, &acme, new(), None, NOW).await.err(),
        administrator.clients(&ops, &acme, None, None, 5, NOW).await.err(),
        administrator.client(&ops, &acme, &svc, NOW).await.err(),
        administrator.client(&ops, &acme, &client_id("absent"), NOW).await.err(),
        administrator.patch_client(&ops, &acme, &svc, json!({}), None, NOW).await.err(),
        administrator.suspend_client(&ops, &acme, &svc, None, NOW).await.err(),
        administrator.delete_client(&ops, &acme, &svc, None, NOW).await.err(),
        administrator.secrets(&ops, &acme, &svc, NOW).await.err(),
        administrator.revoke_secret(&ops, &acme, &svc, &SecretId::new("s1"), NOW).await.err(),
        administrator
            .audit(&ops, AuditQuery { tenant: Some(acme.clone()), ..AuditQuery::default() }, None)
            .await
            .err(),
        administrator.audit(&ops, AuditQuery::default(), None).await.err(),
        administrator.tenant(&ops, &globex, NOW).await.err(),
        administrator.tenants(&ops, None, None, 5, NOW).await.err(),
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Some(EditError::Forbidden(_))), "{refusal:?}");
    }
    administrator.create_client(&ops, &globex, new(), None, NOW).await.unwrap();
}

#[tokio::test]
async fn an_idempotency_key_of_one_tenant_says_nothing_in_the_other() {
    let env = env();
    let (acme, globex) = (env.tenant("acme").await, env.tenant("globex").await);
    let key = idempotency_key("k", 1);
    let mut ids = Vec::new();
    for tenant in [&acme, &globex] {
        let made = env
            .administrator
            .create_client(&operator(), tenant, new_client(json!({})), Some(&key), NOW)
            .await
            .unwrap();
        assert!(!made.replayed);
        ids.push(made.value.client.client_id);
    }
    assert_ne!(ids[0], ids[1]);
}
