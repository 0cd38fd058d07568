//! `/api/v1/tenant/{id}/clients…`: register, list, change and delete clients, with `latchkey:clients` of the
//! platform or of the tenant.

use actix_web::http::StatusCode;
use administration::documents;
use administration::documents::ClientView;
use administration::edit;
use administration::edit::FieldError;
use administration::kinds::Permission::Clients;
use registry::{Client, ClientId};
use serde_json::{Value, json};
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::names::segment;
use super::row::{AdminRow, change, end, look_at, step, take_step};
use super::{Answer, names, secrets};
use crate::openapi::HttpMethod::{Get, Post};
use crate::openapi::{Operation, merged, whole};
use crate::request::JSON;
use crate::respond::{ResponseDocument, created};

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Get, "/api/v1/tenant/{id}/clients", Clients, list)
            .named("list_clients", "List a tenant's clients.")
            .query("string", "search", "Part of the id or the name; case does not matter")
            .paging("YWJj")
            .answer::<documents::Page<ClientView>>(
                "200",
                "A page in the order of ids, without deleted clients",
            )
            .answer_example(|| json!({ "items": [Client::example()] })),
        at(Post, "/api/v1/tenant/{id}/clients", Clients, create)
            .named("create_client", "Register a client.")
            .idempotent()
            .optional_body::<documents::NewClient>(JSON, "All members have defaults")
            .answer::<documents::CreatedClient>(
                "201",
                "The client with its secret, which is shown only in this response; Location and ETag",
            )
            .error("409", "The id is taken or reserved, or the tenant has reached its limit of clients")
            .request_example(|| {
                json!({
                    "client_id": "shipping",
                    "name": "Shipping",
                    "audiences": ["orders"],
                    "scopes": ["orders:read", "orders:write"],
                })
            })
            .answer_example(|| {
                merged(
                    Client::example(),
                    json!({
                        "client_id": "shipping",
                        "name": "Shipping",
                        "scopes": ["orders:read", "orders:write"],
                        "secret": secrets::created_example(),
                    }),
                )
            }),
        look_at::<Client>("/api/v1/tenant/{id}/clients/{client}").named("get_client", "Get a client."),
        change::<Client>("/api/v1/tenant/{id}/clients/{client}")
            .named("patch_client", "Change a client.")
            .error(
                "409",
                "The change adds a `latchkey:` scope, and `credentials` lists the credentials that would \
                    gain it: send the change again with `keep_credentials`. Or config.yaml declares the \
                    client, or the client was changed at the same time",
            )
            .request_example(|| json!({ "description": "Sends invoices", "access_token_lifetime": 900 }))
            .answer_example(|| {
                merged(
                    Client::example(),
                    json!({ "description": "Sends invoices", "access_token_lifetime": 900 }),
                )
            }),
        end::<Client>("/api/v1/tenant/{id}/clients/{client}", edit::client::Step::Delete)
            .named("delete_client", "Delete a client.")
            .empty_answer("204", "Its secrets are destroyed, and the id stays reserved"),
        step::<Client>("/api/v1/tenant/{id}/clients/{client}/suspend", edit::client::Step::Suspend)
            .named("suspend_client", "Suspend a client."),
        step::<Client>("/api/v1/tenant/{id}/clients/{client}/resume", edit::client::Step::Resume)
            .named("resume_client", "Resume a suspended client."),
        at(
            Post,
            "/api/v1/tenant/{id}/clients/{client}/tokens/revoke",
            Clients,
            take_step::<Client>(edit::client::Step::RevokeTokens),
        )
        .named("revoke_client_tokens", "Revoke all tokens issued to a client until now.")
        .answer::<ClientView>("200", "The client, unchanged; its next token is valid"),
    ]
}

async fn list(request: AdminRequest<TenantId>) -> Answer {
    let (search, page) = request.query(|query| (query.text("search"), query.paging()))?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    let found = administrator.of(caller, tenant).clients(search, cursor, page.limit).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&found)
}

async fn create(mut request: AdminRequest<TenantId>) -> Answer {
    let new = request.creation(documents::NewClient::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let made = administrator.of(caller, tenant).create_client(new).await?;
    let client = &made.value.client;
    created(client, &names::path_of_client(tenant, &client.client_id), &made)
}

segment! { ClientId, "client", ("client", "Client id, percent-encoded", "billing"): |raw| {
    names::decoded(raw, "client").and_then(|name| name.parse().ok())
} }

impl AdminRow for Client {
    const READ: fn(Value) -> Result<Self::Settings, Vec<FieldError>> = documents::ClientPatch::read;
    type Settings = documents::ClientPatch;

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
