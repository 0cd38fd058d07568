//! `…/clients/{client}/secrets…`: a client can have several secrets at the same time, so that it
//! can replace one without an outage. The value is shown only in the response to its creation.

use actix_web::http::StatusCode;
use administration::administrator::Created;
use administration::documents::schema::JsonSchema;
use administration::documents::{
    CreatedSecret, NewSecretSettings, RotateSettings, RotatedSecret, SecretEndSettings, SecretView,
};
use administration::edit;
use administration::kinds::Permission::Clients;
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
            .answer::<Secrets>("200", "All secrets, including revoked and expired ones, without their values")
            .answer_example(|| json!({ "items": [example()] })),
        at(Post, "/api/v1/tenant/{id}/clients/{client}/secrets", Clients, create)
            .named("create_secret", "Create another secret.")
            .idempotent()
            .optional_body::<NewSecretSettings>(JSON, "Can be omitted")
            .answer::<CreatedSecret>(
                "201",
                "The secret with its value, which is shown only in this response; Location",
            )
            .error("409", "The client has the maximum number of live secrets")
            .request_example(|| json!({ "name": "build server", "expires_at": "2031-01-01T00:00:00Z" }))
            .answer_example(|| merged(created_example(), json!({ "id": "s2" }))),
        at(Post, "/api/v1/tenant/{id}/clients/{client}/secrets/rotate", Clients, rotate)
            .named("rotate_secret", "Rotate a client's secrets.")
            .idempotent()
            .optional_body::<RotateSettings>(JSON, "Can be omitted")
            .answer::<RotatedSecret>(
                "201",
                "The new secret with its value, which is shown only in this response, or with the place \
                    where the value was written; the old secrets expire after the grace period; Location",
            )
            .error(
                "409",
                "The client has the maximum number of live secrets, or the secret store refused \
                the new secret",
            )
            .request_example(|| json!({ "name": "since June", "grace": 3600 }))
            .answer_example(|| merged(created_example(), json!({ "id": "s2" }))),
        at(Patch, "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Clients, expire)
            .named("expire_secret", "Change when a secret expires.")
            .body::<SecretEndSettings>(JSON, Some("expires_at is required; null means that it never expires"))
            .answer::<SecretView>("200", "The secret with its new state")
            .error("409", "The secret is revoked")
            .request_example(|| json!({ "expires_at": "2030-06-30T00:00:00Z" }))
            .answer_example(|| merged(example(), json!({ "expires_at": "2030-06-30T00:00:00Z" }))),
        at(Delete, "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Clients, revoke)
            .named("revoke_secret", "Revoke a secret immediately.")
            .answer::<SecretView>("200", "The secret with its new state; it stays in the list")
            .answer_example(|| {
                merged(
                    example(),
                    json!({
                     "status": "revoked",
                     "revoked_at": "2030-02-01T08:00:00Z",
                     "safe_to_delete": true,
                    }),
                )
            }),
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
    let view =
        administrator.of(caller, tenant).step_secret(client, secret, edit::secret::Step::Expire(end)).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&view)
}

async fn revoke(request: AdminRequest<(TenantId, ClientId, SecretId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client, secret), .. } = &request;
    let view =
        administrator.of(caller, tenant).step_secret(client, secret, edit::secret::Step::Revoke).await?;
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

/// Not a well-formed secret, so that secret scanners do not report the documentation.
pub(super) fn created_example() -> Value {
    merged(example(), json!({ "client_secret": "the secret, shown only in this response" }))
}
