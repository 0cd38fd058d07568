//! `…/clients/{client}/api-keys…` and `…/api-keys`: API keys of a client for its customers. The key
//! is shown only in the response to its creation.

use actix_web::http::StatusCode;
use administration::administrator::Created;
use administration::documents;
use administration::documents::{ApiKeySettings, CreatedApiKey};
use administration::edit::FieldError;
use administration::kinds::Permission::Clients;
use administration::{edit, kinds};
use registry::{ApiKey, ApiKeyId, ClientId};
use serde_json::{Value, json};
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::names::{Segment, segment};
use super::query::Query;
use super::row::{AdminRow, change, look_at, take_step};
use super::{Answer, names};
use crate::openapi::HttpMethod::{Delete, Get, Post};
use crate::openapi::{NameInPath, Operation, merged};
use crate::request::{JSON, RawRequest};
use crate::respond::{Problem, ResponseDocument};

const PAGE_EXAMPLE: &str = "MTg5MzQ4NDgwMAo0ZlQ5eFEyYlY3bUs";

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        filtered(at(Get, "/api/v1/tenant/{id}/api-keys", Clients, list_all))
            .named("list_all_api_keys", "List the API keys of all clients of a tenant."),
        filtered(at(Get, "/api/v1/tenant/{id}/clients/{client}/api-keys", Clients, list))
            .named("list_api_keys", "List a client's API keys."),
        at(Post, "/api/v1/tenant/{id}/clients/{client}/api-keys", Clients, create)
            .named("create_api_key", "Create an API key.")
            .idempotent()
            .body::<ApiKeySettings>(JSON, Some("name is required"))
            .answer::<CreatedApiKey>("201", "The key, shown only in this response; Location")
            .error(
                "409",
                "The tenant does not offer API keys, or the client cannot have one, or not another one",
            )
            .request_example(|| {
                json!({
                    "name": "Nightly export",
                    "labels": ["production"],
                    "owner": "cus_1815",
                    "scopes": ["orders:read"],
                })
            })
            .answer_example(created_example),
        look_at::<ApiKey>("/api/v1/tenant/{id}/clients/{client}/api-keys/{key}")
            .named("get_api_key", "Get an API key."),
        change::<ApiKey>("/api/v1/tenant/{id}/clients/{client}/api-keys/{key}")
            .named("patch_api_key", "Rename an API key, reduce its permissions, or make it expire earlier.")
            .request_example(|| json!({ "labels": ["production", "eu"] }))
            .answer_example(|| merged(ApiKey::example(), json!({ "labels": ["production", "eu"] }))),
        at(
            Delete,
            "/api/v1/tenant/{id}/clients/{client}/api-keys/{key}",
            Clients,
            take_step::<ApiKey>(edit::api_key::Step::Revoke),
        )
        .named("revoke_api_key", "Revoke an API key and its tokens immediately.")
        .if_match("api key")
        .answer::<documents::ApiKeyView>(
            "200",
            "The key with its new state; it stays in the list for 30 days",
        )
        .answer_example(|| {
            merged(ApiKey::example(), json!({ "status": "revoked", "revoked_at": "2030-02-01T08:00:00Z" }))
        }),
        at(Post, "/api/v1/tenant/{id}/clients/{client}/api-keys/{key}/rotate", Clients, rotate)
            .named("rotate_api_key", "Rotate an API key.")
            .idempotent()
            .optional_body::<documents::RotateApiKeySettings>(JSON, "Can be omitted")
            .answer::<CreatedApiKey>(
                "201",
                "The new key, shown only in this response, with the old key's permissions and duration; the \
                    old key expires after the grace period; Location",
            )
            .error("409", "The key has expired or was revoked, or was already replaced")
            .request_example(|| json!({ "grace": 3600 }))
            .answer_example(created_example),
    ]
}

/// The filters of a list, with an example each.
const FILTERS: [NameInPath; 6] = [
    ("key", "Only the key with this id", "4fT9xQ2bV7mK"),
    ("name", "Only keys whose name contains this text; case does not matter", "export"),
    ("label", "Only keys with this label", "production"),
    ("owner", "Only keys of this owner", "cus_1815"),
    ("ends_before", "Only keys that have expired or expire before this instant", "2030-06-30T00:00:00Z"),
    ("unused_since", "Only keys that were not used since this instant", "2030-01-01T00:00:00Z"),
];

fn filtered(list: Operation) -> Operation {
    let list = FILTERS.iter().fold(list, |list, (name, what, _)| list.query("string", name, what));
    list.naming(&FILTERS)
        .paging(PAGE_EXAMPLE)
        .answer::<documents::Page<documents::ApiKeyView>>(
            "200",
            "A page in the order of creation, including expired and revoked keys",
        )
        .answer_example(|| json!({ "items": [ApiKey::example()] }))
}

async fn list_all(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { target: tenant, .. } = &request;
    page(&request, tenant, None).await
}

async fn list(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { target: (tenant, client), .. } = &request;
    page(&request, tenant, Some(client)).await
}

async fn page<T>(request: &AdminRequest<T>, tenant: &TenantId, client: Option<&ClientId>) -> Answer {
    let filter = |query: &mut Query<'_>| {
        let filter = kinds::api_key::Query {
            client: client.cloned(),
            id: query.text("key"),
            name: query.text("name"),
            label: query.text("label"),
            owner: query.text("owner"),
            ends_before: query.instant("ends_before"),
            unused_since: query.instant("unused_since"),
            ..kinds::api_key::Query::default()
        };
        (filter, query.paging())
    };
    let (filter, page) = request.query(filter)?;
    let filter = kinds::api_key::Query { limit: page.limit, ..filter };
    let AdminRequest { administrator, caller, .. } = request;
    let found = administrator.of(caller, tenant).api_keys(filter, page.cursor.as_deref()).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&found)
}

async fn create(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let settings = request.creation(ApiKeySettings::read).await?;
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    answer(&administrator.of(caller, tenant).create_api_key(client, settings).await?, tenant)
}

async fn rotate(mut request: AdminRequest<(TenantId, (ClientId, ApiKeyId))>) -> Answer {
    let settings = request.creation(documents::RotateApiKeySettings::read).await?;
    let AdminRequest { administrator, caller, target: (tenant, key), .. } = &request;
    answer(&administrator.of(caller, tenant).rotate_api_key(key, settings).await?, tenant)
}

fn answer(made: &Created<CreatedApiKey>, tenant: &TenantId) -> Answer {
    let key = &made.value.key;
    let location = format!("{}/api-keys/{}", names::path_of_client(tenant, &key.client_id), key.id);
    ResponseDocument::from_status(StatusCode::CREATED).made(&location, made.replayed).body(&made.value)
}

segment! { ApiKeyId, "API key", ("key", "API key id", "4fT9xQ2bV7mK"): |raw| {
    raw.place("key").and_then(|id| id.parse().ok())
} }

/// The path names the client before the key.
impl Segment for (ClientId, ApiKeyId) {
    const IN_PATH: &'static [NameInPath] = &[ClientId::IN_PATH[0], ApiKeyId::IN_PATH[0]];

    fn from_request(raw: &RawRequest) -> Result<Self, Problem> {
        Ok((ClientId::from_request(raw)?, ApiKeyId::from_request(raw)?))
    }
}

impl AdminRow for ApiKey {
    const READ: fn(Value) -> Result<Self::Settings, Vec<FieldError>> = ApiKeySettings::read;
    type Settings = ApiKeySettings;

    fn example() -> Value {
        json!({
            "id": "4fT9xQ2bV7mK",
            "client_id": "billing",
            "hint": "Yx3k",
            "status": "live",
            "created_at": "2030-01-31T08:00:00Z",
            "updated_at": "2030-01-31T08:00:00Z",
            "last_used_at": "2030-02-01T03:00:00Z",
            "used_from": [{ "address": "192.0.2.1", "last_used_at": "2030-02-01T03:00:00Z" }],
            "name": "Nightly export",
            "labels": ["production"],
            "owner": "cus_1815",
            "scopes": ["orders:read"],
            "audiences": ["orders"],
            "expires_at": "2030-05-01T08:00:00Z",
        })
    }
}

/// Not a well-formed key, so that secret scanners do not report the documentation.
fn created_example() -> Value {
    merged(
        ApiKey::example(),
        json!({ "api_key": "the key, shown only in this response", "last_used_at": null, "used_from": [] }),
    )
}
