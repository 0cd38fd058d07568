//! Runs every operation of the admin API with every permission, and compares the result with the
//! OpenAPI document. docs/administration.md has the same table.

use accounts::AccountId;
use administration::kinds::Permission;

use crate::admin_access::{admin_operations, assert_lacks};
use crate::administrators::settle;
use crate::prelude::*;

const KEY: &str = include_str!("keys/foreign.pem");
/// The tenant that the operations change and delete.
const VICTIM: &str = "victim";

/// A token for each permission and tenant. Cached, because signing is slow.
type Tokens = BTreeMap<(&'static str, &'static str), String>;

/// A client with this permission only. The store accepts it even if it could not be granted.
fn holder(permission: Permission) -> String {
    permission.as_str().replace(':', "-")
}

fn body(method: &Method, path: &str, id: &str) -> Option<Value> {
    match (method.as_str(), path) {
        ("GET" | "DELETE", _) => None,
        (_, TENANTS) => Some(json!({ "id": id })),
        (_, "/api/v1/tenant/{id}/clients") => Some(json!({ "client_id": id })),
        (_, "/api/v1/tenant/{id}/accounts") => Some(json!({ "username": id })),
        (_, path) if path.ends_with("/password") => {
            Some(json!({ "password": "seven clouds above the harbour" }))
        }
        (_, "/api/v1/admin/report-signatures") => Some(json!({ "sha256": "0".repeat(64) })),
        (_, "/api/v1/tenant/{id}/keys") => Some(json!({ "key": KEY, "algorithm": "RS256" })),
        ("PATCH", path) if path.contains("{secret}") => Some(json!({ "expires_at": null })),
        _ => Some(json!({})),
    }
}

/// Another person for each operation.
fn put_person(test_env: &TestEnv, tenant: &str, name: &str) -> AccountId {
    let tenant = fixtures::tenant_id(tenant);
    let mut person = requests::account(&tenant, 1, &[&format!("person-{name}")]);
    person.id = AccountId::declared(&tenant, name);
    let id = person.id.clone();
    test_env.app.store.put_account(person, None);
    id
}

/// Returns the name of the key.
fn put_api_key(test_env: &TestEnv, tenant: &str, client: &str) -> String {
    let client = fixtures::client(&fixtures::tenant(tenant), client);
    let name = secrets::GeneratedApiKey::generate(None).name;
    test_env.app.store.put_api_key(&fixtures::api_key(&client, &name));
    name
}

/// The permissions that allow the operation on the tenant, for clients of the issuer. A refusal names the
/// documented permission.
async fn permissions(
    (test_env, tokens): (&TestEnv, &Tokens),
    (method, path): &(Method, String),
    (tenant, of): (&str, &'static str),
    named: &[&'static str],
) -> Vec<&'static str> {
    let mut opening = Vec::new();
    for permission in Permission::NAMED.map(|(_, permission)| permission) {
        // Each operation changes its own client, so that operations do not affect each other.
        let id = format!("{}-{}", holder(permission), path.len());
        settle(&test_env.app, tenant, &id, "");
        let is_of_platform = path.starts_with("/api/v1/admin") && tenant != PLATFORM;
        let place = path.replace("{id}", if is_of_platform { VICTIM } else { tenant });
        let place = place.replace("{account}", put_person(test_env, tenant, &id).as_str());
        let place = place.replace("{session}", "AAAAAAAAAAAAAAAAAAAAAA");
        let place = place.replace("{key}", &put_api_key(test_env, tenant, &id));
        let place = place.replace("{client}", &id).replace("{secret}", "1").replace("{kid}", "oauth2-key-1");
        let request = Ask { body: body(method, path, &id), ..ask(method.clone(), &place) };
        let answer = test_env.ask(&tokens[&(of, permission.as_str())], request).await;
        if path.ends_with("/tokens/revoke") {
            // Keeps the tokens of the other permissions valid.
            let end = values::Timestamp::from_seconds(u64::MAX);
            test_env.app.store.delete_ended_revocations(end).await.unwrap();
        }
        match answer.status {
            // A conflict with the current state: the operation was authorized.
            200..300 | 409 => opening.push(permission.as_str()),
            401 => {}
            403 if text(&answer.json(), "type").ends_with(":beyond-reach") => {}
            403 => {
                // With several, any permission is enough.
                if let [needed] = named {
                    assert_lacks(&answer, needed);
                }
            }
            // A wrong media type: only an authorized caller gets this answer.
            415 if path.ends_with("/accounts/import") => opening.push(permission.as_str()),
            // An unknown session or consent: only an authorized caller gets this answer.
            404 if path.contains("{session}") || path.ends_with("/consents/{client}") => {
                opening.push(permission.as_str());
            }
            _ => panic!("{method} {place} as {permission:?} of {of}: {answer:?}"),
        }
    }
    opening
}

/// The permissions in the OpenAPI document. If an operation names none, any permission is enough.
fn documented(document: &Value, (method, path): &(Method, String)) -> Vec<&'static str> {
    let operation = &document["paths"][path][method.as_str().to_lowercase()];
    let named = operation["security"][0]["admin_token"].as_array().unwrap();
    let all = Permission::NAMED.map(|(_, permission)| permission.as_str());
    all.into_iter().filter(|one| named.is_empty() || named.iter().any(|scope| scope == one)).collect()
}

// [V10 10.3.2]
// [found 1]: A client with `latchkey:keys` could import a private key and with it sign as every administrator
//   of the tenant, in `platform` as every administrator of the platform | fixed | Import requires
//   `latchkey:tenants`, and in the tenant `platform` the command line on the store. Our own interfaces accept
//   a key only from its activation on, less the skew. The matrix of permissions is printed in
//   [administration.md](administration.md#who-may-do-what) and compared with what each permission allows
#[tokio::test]
async fn permissions_allow_only_the_documented_operations() {
    let test_env = TestEnv::start();
    test_env.app.store.put_tenant(fixtures::tenant(VICTIM));
    let mut tokens = Tokens::new();
    for tenant in [PLATFORM, ACME, GLOBEX] {
        for permission in Permission::NAMED.map(|(_, permission)| permission) {
            settle(&test_env.app, tenant, &holder(permission), permission.as_str());
            let token = forged(tenant, &holder(permission), permission.as_str());
            tokens.insert((tenant, permission.as_str()), token);
        }
    }
    let by = (&test_env, &tokens);
    let document = serde_json::from_str(&gateway::openapi_document()).unwrap();
    let mut operations = admin_operations();
    operations.sort_by(|(one, of), (other, than)| (of, one.as_str()).cmp(&(than, other.as_str())));
    for operation in &operations {
        let (method, path) = operation;
        let named = documented(&document, operation);
        assert_eq!(permissions(by, operation, (ACME, PLATFORM), &named).await, named, "{method} {path}");
        if path.contains("{id}") {
            // Only an operator on the machine of the store can import a key of the platform.
            let is_import = *method == Method::POST && path == "/api/v1/tenant/{id}/keys";
            let expected = if is_import { Vec::new() } else { named.clone() };
            let allowed = permissions(by, operation, (PLATFORM, PLATFORM), &named).await;
            assert_eq!(allowed, expected, "{method} {path} of the platform itself");
        }
        let is_of_platform = path.starts_with("/api/v1/admin");
        let is_own = |one: &&str| !is_of_platform && *one != "latchkey:tenants";
        let own: Vec<_> = named.iter().copied().filter(is_own).collect();
        for tenant in [ACME, GLOBEX] {
            let allowed = permissions(by, operation, (tenant, tenant), &named).await;
            assert_eq!(allowed, own, "{method} {path} of {tenant}");
        }
        let of_another = permissions(by, operation, (GLOBEX, ACME), &named).await;
        assert!(of_another.is_empty(), "{method} {path} of another: {of_another:?}");
    }
}
