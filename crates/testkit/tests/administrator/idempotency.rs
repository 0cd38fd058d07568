//! A repeated request creates nothing twice and gets the first answer.

use administration::edit::EditError;
use administration::kinds::authority::Authority;
use serde_json::json;
use testkit::fixtures::NOW;

use crate::test_env::{env, idempotency_key, new_client, of_tenant, repeating};

#[tokio::test]
async fn a_caller_without_permission_gets_no_stored_answer() {
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
