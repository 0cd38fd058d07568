//! Tests that every change leaves an audit record with actor, change, address, state before and after, and
//! never a secret.

use administration::{AuditQuery, AuditView, NewSecretSettings, Page, RotateSettings};
use protocol::Lifetime;
use serde_json::json;
use testkit::fixtures::{NOW, client_id};

use crate::test_env::{caller, env, later, new_client, operator};

// [parties #5]
#[tokio::test]
async fn no_record_and_no_error_holds_a_secret_or_a_hash() {
    let env = env();
    let (acme, made) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (administrator, svc) = (&env.administrator, client_id("svc"));
    let mut values = vec![made.secret.unwrap().client_secret];
    let new = NewSecretSettings::default();
    values.push(
        administrator
            .create_secret(&caller(&operator(), NOW), &acme, &svc, new)
            .await
            .unwrap()
            .value
            .client_secret,
    );
    let rotate = RotateSettings {
        name: None,
        grace: Some(Lifetime::from_seconds(0)),
        expires_at: Some(later(9).into()),
        into: None,
    };
    values.push(
        administrator
            .rotate_secret(&caller(&operator(), NOW), &acme, &svc, rotate)
            .await
            .unwrap()
            .value
            .client_secret
            .unwrap(),
    );
    values.push("correct horse battery".to_owned());
    let chosen = new_client(json!({ "client_id": "chosen", "client_secret": values[3] }));
    administrator.create_client(&caller(&operator(), NOW), &acme, chosen.clone()).await.unwrap();
    let again = administrator.create_client(&caller(&operator(), NOW), &acme, chosen).await.unwrap_err();
    let query = AuditQuery { limit: 200, ..AuditQuery::default() };
    let page: Page<AuditView> = administrator.audit(&caller(&operator(), NOW), query, None).await.unwrap();
    assert_eq!(page.items.iter().filter(|view| view.record.action == "secret.added").count(), 4);
    let text = format!("{} {again} {again:?}", serde_json::to_string(&page).unwrap());
    for value in &values {
        assert!(!text.contains(value.as_str()));
    }
    assert!(!text.contains("$lk2$") && !text.contains("$argon2id$"));
}
