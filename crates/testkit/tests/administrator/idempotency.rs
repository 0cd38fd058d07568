//! A repeated request creates nothing twice and gets the first answer.

use administration::EditError;
use serde_json::json;
use testkit::fixtures::NOW;

use crate::test_env::{env, idempotency_key, new_client, of_tenant, repeating};

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
