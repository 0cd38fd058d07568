//! `…/clients/{client}/secrets…`: several secrets of a client may be live at the same time, so that one can
//! be replaced without an outage. The value is shown when the secret is created, and never again.

use actix_web::http::StatusCode;
use administration::Permission::Clients;
use administration::schema::JsonSchema;
use administration::{
    Created, CreatedSecret, NewSecretSettings, RotateSettings, RotatedSecret, SecretEndSettings, SecretStep,
    SecretView,
};
use registry::{ClientId, SecretId};
use serde::Serialize;
use serde_json::{Value, json};
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::names::segment;
use super::{Answer, names};
use crate::documents;
use crate::openapi::HttpMethod::{Delete, Get, Patch, Post};
use crate::openapi::{Operation, merged};
use crate::request::JSON;
use crate::respond::ResponseDocument;

/// All secrets of a client.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Secrets {
    items: Vec<SecretView>,
}

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Get, "/api/v1/tenant/{id}/clients/{client}/secrets", Clients, list)
            .named("list_secrets", "List a client's secrets.")
            .answer::<Secrets>("200", "All of them, revoked and expired ones too; never a value")
            .answer_example(|| json!({ "items": [example()] })),
        at(Post, "/api/v1/tenant/{id}/clients/{client}/secrets", Clients, create)
            .named("create_secret", "Make one more secret.")
            .idempotent()
            .optional_body::<NewSecretSettings>(JSON, "May be left out")
            .answer::<CreatedSecret>("201", "The secret with its value, shown this once; Location")
            .error("409", "As many secrets are live as may be")
            .request_example(|| json!({ "name": "build server", "expires_at": "2031-01-01T00:00:00Z" }))
            .answer_example(|| merged(created_example(), json!({ "id": "s2" }))),
        at(Post, "/api/v1/tenant/{id}/clients/{client}/secrets/rotate", Clients, rotate)
            .named("rotate_secret", "Replace all secrets by a new one.")
            .idempotent()
            .optional_body::<RotateSettings>(JSON, "May be left out")
            .answer::<RotatedSecret>(
                "201",
                "The new secret with its value, shown this once, or where it was written; the old ones end after \
                    the grace; Location",
            )
            .error("409", "As many secrets are live as may be, or the secret store did not take the new one")
            .request_example(|| json!({ "name": "since June", "grace": 3600 }))
            .answer_example(|| merged(created_example(), json!({ "id": "s2" }))),
        at(Patch, "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Clients, expire)
            .named("expire_secret", "Move a secret's end.")
            .body::<SecretEndSettings>(JSON, Some("expires_at is needed; null: it never ends"))
            .answer::<SecretView>("200", "The secret as it is now")
            .error("409", "The secret is revoked")
            .request_example(|| json!({ "expires_at": "2030-06-30T00:00:00Z" }))
            .answer_example(|| merged(example(), json!({ "expires_at": "2030-06-30T00:00:00Z" }))),
        at(Delete, "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Clients, revoke)
            .named("revoke_secret", "End a secret at once.")
            .answer::<SecretView>("200", "The secret as it is now; it stays in the list")
            .answer_example(|| merged(
                example(),
                json!({
                 "status": "revoked",
                 "revoked_at": "2030-02-01T08:00:00Z",
                 "safe_to_delete": true,
                }),
            )),
    ]
}

async fn list(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    let items = administrator.of(caller, tenant).secrets(client).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&Secrets { items })
}

async fn create(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let settings = request.creation(NewSecretSettings::read).await?;
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    let made = administrator.of(caller, tenant).create_secret(client, settings).await?;
    answer(&made, &made.value.secret, tenant, client)
}

async fn rotate(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let settings = request.creation(RotateSettings::read).await?;
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    let made = administrator.of(caller, tenant).rotate_secret(client, settings).await?;
    answer(&made, &made.value.secret, tenant, client)
}

async fn expire(mut request: AdminRequest<(TenantId, ClientId, SecretId)>) -> Answer {
    let end = documents::read(&request.raw.json().await?, documents::secret_end)?;
    let AdminRequest { administrator, caller, target: (tenant, client, secret), .. } = &request;
    let view = administrator.of(caller, tenant).step_secret(client, secret, SecretStep::Expire(end)).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&view)
}

async fn revoke(request: AdminRequest<(TenantId, ClientId, SecretId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client, secret), .. } = &request;
    let view = administrator.of(caller, tenant).step_secret(client, secret, SecretStep::Revoke).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&view)
}

fn answer<T: Serialize>(
    made: &Created<T>,
    secret: &SecretView,
    tenant: &TenantId,
    client: &ClientId,
) -> Answer {
    let client = names::path_of_client(tenant, client.as_str());
    let location = format!("{client}/secrets/{}", names::encoded(&secret.id));
    ResponseDocument::from_status(StatusCode::CREATED).made(&location, made.replayed).body(&made.value)
}

segment! { SecretId, "secret", ("secret", "Secret id", "s1"): |raw| {
    let name = names::decoded(raw, "secret").filter(|name| !name.chars().any(char::is_control));
    name.map(|name| Self::new(&name))
} }

fn example() -> Value {
    json!({
        "id": "s1",
        "name": "build server",
        "hint": "Yx3k",
        "fingerprint": "9f86d081884c7d65",
        "form": "generated",
        "status": "live",
        "managed_by": "api",
        "created_at": "2030-01-31T08:00:00Z",
        "expires_at": null,
        "last_used_at": null,
        "addresses": 0,
        "used_from": [],
        "safe_to_delete": false,
    })
}

/// The value is none that the program could generate, so that no leak scanner reports it.
pub(super) fn created_example() -> Value {
    merged(example(), json!({ "client_secret": "the secret, shown this once" }))
}
