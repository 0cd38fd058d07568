//! Tests that every change leaves an audit record with actor, change, address, state before and after, and
//! never a secret.

use administration::documents::{NewSecretSettings, RotateSettings};
use administration::store::query::AuditQuery;
use serde_json::json;
use testkit::fixtures::client_id;
use values::Lifetime;

use crate::test_env::{env, later, new_client, now};

// [parties #5]
#[tokio::test]
async fn no_record_and_no_error_holds_a_secret_or_a_hash() {
    let env = env();
    let (acme, made) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (administrator, svc) = (&env.administrator, client_id("svc"));
    let new = NewSecretSettings::default();
    let added = administrator.of(&now(), &acme).create_secret(&svc, new).await.unwrap().value;
    let (grace, expires_at) = (Some(Lifetime::from_seconds(0)), Some(later(9).into()));
    let rotate = RotateSettings { name: None, grace, expires_at, into: None };
    let rotated = administrator.of(&now(), &acme).rotate_secret(&svc, rotate).await.unwrap().value;
    let (first, rotated) = (made.secret.unwrap().client_secret, rotated.client_secret.unwrap());
    let values = [first, added.client_secret, rotated, "correct horse battery".to_owned()];
    let chosen = new_client(json!({ "client_id": "chosen", "client_secret": values[3] }));
    administrator.of(&now(), &acme).create_client(chosen.clone()).await.unwrap();
    let again = administrator.of(&now(), &acme).create_client(chosen).await.unwrap_err();
    let query = AuditQuery { limit: 200, ..AuditQuery::default() };
    let page = administrator.audit(&now(), query, None).await.unwrap();
    assert_eq!(page.items.iter().filter(|view| view.record.action == "secret.added").count(), 4);
    let text = format!("{} {again} {again:?}", serde_json::to_string(&page).unwrap());
    for value in &values {
        assert!(!text.contains(value.as_str()));
    }
    assert!(!text.contains("$lk2$") && !text.contains("$argon2id$"));
}
