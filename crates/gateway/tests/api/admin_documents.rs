//! The OpenAPI schemas of the admin API are written by hand beside administration's documents: every document has the members of its
//! schema and no others, all the way down.

use administration::{
    AuditView, BrokenTokensView, ClientSettings, ClientView, CreatedClient, CreatedSecret, CreatedTenant,
    KeyStatusView, KeyView, KeysChanged, NewClient, NewSecretSettings, NewTenant, Page, PublicKeyView,
    ResourceServerSettings, RotateSettings, SecretView, SigningSettings, TenantSettings, TenantStatusView,
    TenantView, TokenSettings, UnopenedKeyView, UsedFrom, VerifierView,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use testkit::fixtures::NOW;

use crate::administrators::{BOSS, KEEPER, OPS, PLATFORM, TestEnv, clients_path, keys_path};
use crate::app::{ACME, GLOBEX};
use crate::schemas::Schemas;

/// A document in which every member is there.
#[track_caller]
fn check(name: &str, example: impl Serialize) {
    let schemas = Schemas::read();
    schemas.check(schemas.named(name), &serde_json::to_value(example).unwrap(), name);
}

fn text() -> String {
    "x".to_owned()
}

fn tenant_settings() -> TenantSettings {
    let server = ResourceServerSettings { scopes: vec![text()], clients: vec![text()] };
    TenantSettings {
        name: Some(text()),
        issuer: Some(text()),
        issuer_aliases: vec![text()],
        resource_servers: [(text(), server)].into(),
        signing: SigningSettings { hold_activation: Some(1), ..SigningSettings::default() },
        ..TenantSettings::default()
    }
}

fn client_settings() -> ClientSettings {
    ClientSettings {
        name: Some(text()),
        audiences: vec![text()],
        resources: vec![text()],
        scopes: vec![text()],
        access_token_lifetime: Some(1),
        token: TokenSettings { issuer: Some(text()) },
        ..ClientSettings::default()
    }
}

fn secret() -> SecretView {
    SecretView {
        id: text(),
        hint: text(),
        form: text(),
        status: text(),
        managed_by: text(),
        created_at: NOW,
        expires_at: Some(NOW),
        revoked_at: Some(NOW),
        last_used_at: Some(NOW),
        addresses: 1,
        used_from: vec![UsedFrom { address: text(), last_used_at: NOW }],
        safe_to_delete: true,
    }
}

fn client() -> ClientView {
    ClientView {
        client_id: text(),
        status: text(),
        managed_by: text(),
        created_at: NOW,
        updated_at: NOW,
        live_secrets: 1,
        settings: client_settings(),
    }
}

fn tenant() -> TenantView {
    TenantView {
        id: text(),
        status: TenantStatusView::Active,
        managed_by: text(),
        created_at: NOW,
        updated_at: NOW,
        deletion_due_at: Some(NOW),
        jwks_uri: text(),
        token_endpoint: text(),
        settings: tenant_settings(),
    }
}

fn created_client() -> CreatedClient {
    CreatedClient {
        client: client(),
        secret: Some(CreatedSecret { client_secret: text(), secret: secret() }),
    }
}

fn key() -> KeyView {
    KeyView {
        kid: text(),
        algorithm: text(),
        state: text(),
        thumbprint: text(),
        announced_at: NOW,
        active_from: NOW,
        retiring_from: Some(NOW),
        removed_at: Some(NOW),
        destroyed: true,
    }
}

#[test]
fn tenants_and_clients_are_as_their_schemas_say() {
    check("TenantSettings", tenant_settings());
    check("Tenant", tenant());
    check("CreatedTenant", CreatedTenant { tenant: tenant(), client: Some(created_client()) });
    check("TenantPage", Page { items: vec![tenant()], next_cursor: Some(text()) });
    check("ClientSettings", client_settings());
    check("Client", client());
    check("CreatedClient", created_client());
    check("ClientPage", Page { items: vec![client()], next_cursor: Some(text()) });
}

#[test]
fn secrets_and_audit_records_are_as_their_schemas_say() {
    check("Secret", secret());
    check("CreatedSecret", CreatedSecret { client_secret: text(), secret: secret() });
    check("NewSecret", NewSecretSettings { expires_at: Some(NOW) });
    check("Rotation", RotateSettings { grace: Some(1), expires_at: Some(NOW) });
    let record = AuditView {
        position: 1,
        at: NOW,
        actor: text(),
        source: Some(text()),
        action: text(),
        tenant: text(),
        subject: text(),
        detail: json!({ "name": { "before": null, "after": "x" } }),
    };
    check("AuditPage", Page { items: vec![record], next_cursor: Some(text()) });
}

#[test]
fn keys_are_as_their_schemas_say() {
    check("SigningKey", key());
    let public = PublicKeyView { jwk: json!({ "kty": "OKP" }), pem: text() };
    let mut shown = serde_json::to_value(key()).unwrap();
    shown.as_object_mut().unwrap().extend(json!(public).as_object().unwrap().clone());
    check("Key", shown);
    let breaks = vec![BrokenTokensView { kid: text(), until: NOW }];
    check("KeysChanged", KeysChanged { items: vec![key()], breaks });
    let verifier =
        VerifierView { verifier: text(), last_fetch_at: NOW, newest_kid: text(), has_announced: true };
    check(
        "KeyStatus",
        KeyStatusView {
            signing: Some(key()),
            announced: Some(key()),
            seen_by_all: Some(true),
            due_at: Some(NOW),
            unopened: vec![UnopenedKeyView { kid: text(), problem: text() }],
            verifiers: vec![verifier],
        },
    );
}

/// What is sent has no type that can be written down, so every member of the schema is read instead.
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
    assert_eq!(own("NewClient", "ClientSettings"), ["client_id", "client_secret"]);
}

/// The gateway's own documents, as they are sent and read.
#[tokio::test]
async fn lists_and_problems_are_as_their_schemas_say() {
    let test_env = TestEnv::start();
    for tenant in [ACME, GLOBEX] {
        let (boss, keeper) = (test_env.token(tenant, BOSS).await, test_env.token(tenant, KEEPER).await);
        let names = |document: &Value| document.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let secrets = test_env.get(&boss, &format!("{}/svc/secrets", clients_path(tenant))).await.json();
        let keys = test_env.get(&keeper, &keys_path(tenant)).await.json();
        let key = test_env.get(&keeper, &format!("{}/oauth2-key-1", keys_path(tenant))).await.json();
        let schemas = Schemas::read();
        for (name, document) in [("Secrets", secrets), ("Keys", keys), ("Key", key)] {
            assert_eq!(
                names(&document),
                schemas.members(schemas.named(name)).into_keys().collect::<Vec<_>>()
            );
        }
        let rotate = format!("{}/rotate", keys_path(tenant));
        let faulty = test_env.post(&keeper, &rotate, json!({ "x": 1 })).await.json();
        let unconfirmed = test_env.post(&keeper, &rotate, json!({ "emergency": true })).await.json();
        let mut whole = faulty;
        whole["breaks"] = unconfirmed["breaks"].clone();
        check("Problem", whole);
        let ops = test_env.token(PLATFORM, OPS).await;
        for (token, path, name) in [(keeper, rotate, "KeyRotation"), (ops, keys_path(tenant), "NewKey")] {
            let members = schemas.members(schemas.named(name)).into_keys();
            let body: Map<_, _> = members.map(|name| (name.to_owned(), json!(7))).collect();
            let refused = test_env.post(&token, &path, Value::Object(body)).await;
            assert!(!refused.body.contains("no such member"), "{}", refused.body);
        }
    }
}
