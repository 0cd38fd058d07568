//! `/api/v1/tenant/{id}/clients…`: register, list, change and delete clients, with `latchkey:clients` of the platform or of the
//! tenant.

use actix_web::http::StatusCode;
use administration::Permission::Clients;
use administration::{
    ClientSettings, ClientStep, ClientView, CreatedClient, EntityTag, FieldError, NewClient, Page,
};
use registry::{Client, ClientId};
use serde_json::{Value, json};
use tenancy::TenantId;
use utoipa::openapi::HttpMethod::{Get, Post};

use super::admin_request::AdminRequest;
use super::endpoint::Endpoint;
use super::row::{self, Row};
use super::{Answer, names, secrets};
use crate::openapi::{merged, whole};
use crate::raw_request::JSON;
use crate::respond::Document;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at(Get, "/api/v1/tenant/{id}/clients", Clients, list, |it| {
            it.named("list_clients", "List a tenant's clients.")
                .query("string", "search", "Part of the id or the name, upper or lower case")
                .paging()
                .answer::<Page<ClientView>>(
                    "200",
                    "A page, in the order of the ids; deleted clients are left out",
                )
                .answer_example(json!({ "items": [Client::example()] }))
        }),
        Endpoint::at(Post, "/api/v1/tenant/{id}/clients", Clients, create, |it| {
            it.named("create_client", "Register a client.")
                .idempotent()
                .optional_body::<NewClient>(JSON, "May be left out: all members have defaults")
                .answer::<CreatedClient>(
                    "201",
                    "The client with its secret, shown this once; Location and ETag",
                )
                .error("409", "The id is taken or reserved, or the tenant has as many clients as it may")
                .request_example(json!({
                    "client_id": "shipping",
                    "name": "Shipping",
                    "audiences": ["orders"],
                    "scopes": ["orders:read", "orders:write"],
                }))
                .answer_example(merged(
                    Client::example(),
                    json!({
                        "client_id": "shipping",
                        "name": "Shipping",
                        "scopes": ["orders:read", "orders:write"],
                        "secret": secrets::created_example(),
                    }),
                ))
        }),
        Endpoint::look_at::<Client>("/api/v1/tenant/{id}/clients/{client}", |it| {
            it.named("get_client", "Look at a client.")
        }),
        Endpoint::change::<Client>("/api/v1/tenant/{id}/clients/{client}", |it| {
            it.named("patch_client", "Change a client.")
                .request_example(json!({ "description": "Sends invoices", "access_token_lifetime": 900 }))
                .answer_example(merged(
                    Client::example(),
                    json!({ "description": "Sends invoices", "access_token_lifetime": 900 }),
                ))
        }),
        Endpoint::end::<Client>("/api/v1/tenant/{id}/clients/{client}", ClientStep::Delete, |it| {
            it.named("delete_client", "Delete a client.")
                .empty_answer("204", "Its secrets are destroyed, the id stays reserved")
        }),
        Endpoint::step::<Client>("/api/v1/tenant/{id}/clients/{client}/suspend", ClientStep::Suspend, |it| {
            it.named("suspend_client", "Stop a client from authenticating.")
        }),
        Endpoint::step::<Client>("/api/v1/tenant/{id}/clients/{client}/resume", ClientStep::Resume, |it| {
            it.named("resume_client", "Let a suspended client authenticate again.")
        }),
        Endpoint::at(
            Post,
            "/api/v1/tenant/{id}/clients/{client}/tokens/revoke",
            Clients,
            row::step::<Client>(ClientStep::RevokeTokens),
            |it| {
                it.named("revoke_client_tokens", "Revoke all tokens that a client was issued until now.")
                    .answer::<ClientView>("200", "The client as it is; its next token is valid")
            },
        ),
    ]
}

async fn list(request: AdminRequest<TenantId>) -> Answer {
    let (search, page) = request.query(|query| (query.text("search"), query.paging()))?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    let found = administrator.clients(caller, tenant, search, cursor, page.limit).await?;
    Document::of(StatusCode::OK).body(&found)
}

async fn create(mut request: AdminRequest<TenantId>) -> Answer {
    let new = request.creation(NewClient::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let made = administrator.create_client(caller, tenant, new).await?;
    let client = &made.value.client;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(client))
        .made(&names::client_location(tenant, &client.client_id), made.replayed)
        .body(&made.value)
}

impl Row for Client {
    type Target = (TenantId, ClientId);
    type Settings = ClientSettings;

    fn read(document: Value) -> Result<ClientSettings, Vec<FieldError>> {
        ClientSettings::read(document)
    }

    fn names((tenant, client): &Self::Target) -> (&TenantId, &ClientId) {
        (tenant, client)
    }

    fn example() -> Value {
        whole::<ClientView>(json!({
            "client_id": "billing",
            "status": "active",
            "managed_by": "api",
            "created_at": "2030-01-31T08:00:00Z",
            "updated_at": "2030-01-31T08:00:00Z",
            "live_secrets": 1,
            "name": "billing",
            "audiences": ["orders"],
            "scopes": ["orders:read"],
        }))
    }
}
