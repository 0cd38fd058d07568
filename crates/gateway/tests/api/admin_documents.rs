//! Compares the parsers of the admin API with the OpenAPI schemas: each parser knows every member.

use administration::documents::{NewClient, NewTenant};
use serde_json::Map;

use crate::prelude::*;
use crate::schemas::Schemas;

#[test]
fn every_member_of_a_request_is_known_to_its_reader() {
    let schemas = Schemas::read();
    let sample = |name: &str| {
        let members = schemas.members(schemas.named(name)).into_keys();
        Value::Object(members.map(|name| (name.to_owned(), Value::Null)).collect())
    };
    assert!(NewTenant::read(sample("NewTenant")).is_ok());
    assert!(NewClient::read(sample("NewClient")).is_ok());
    let own = |name: &str, of: &str| {
        let (all, settings) = (schemas.members(schemas.named(name)), schemas.members(schemas.named(of)));
        all.into_keys().filter(|name| !settings.contains_key(name)).collect::<Vec<_>>()
    };
    assert_eq!(own("NewTenant", "TenantSettings"), ["client", "id"]);
    assert_eq!(own("NewClient", "ClientPatch"), ["client_id", "client_secret"]);
}

#[tokio::test]
async fn every_member_of_a_key_command_is_known_to_its_reader() {
    let test_env = TestEnv::start();
    let schemas = Schemas::read();
    for (tenant, keeper) in test_env.of_each(KEEPER).await {
        let ops = test_env.token(PLATFORM, OPS).await;
        let rotate = format!("{}/rotate", keys_path(tenant));
        for (token, path, name) in [(keeper, rotate, "KeyRotation"), (ops, keys_path(tenant), "NewKey")] {
            let members = schemas.members(schemas.named(name)).into_keys();
            let body: Map<_, _> = members.map(|name| (name.to_owned(), json!(7))).collect();
            let refused = test_env.post(&token, &path, Value::Object(body)).await;
            assert!(!refused.body.contains("this member does not exist"), "{}", refused.body);
        }
    }
}
