//! `/api/v1/tenant/{id}/clients…`: clients are registered, listed, changed and deleted, by whoever holds `latchkey:clients` at the
//! platform or in the tenant.

use actix_web::http::StatusCode;
use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;
use administration::{EntityTag, Permission};

use super::Answer;
use super::idempotency::idempotency;
use super::names::{self, tenant_name};
use super::query::Query;
use crate::authorization::{RequiredPermission, authorize};
use crate::raw_request::RawRequest;
use crate::respond::{Document, changed, looked_at};
use crate::{Services, documents};

pub(super) fn required_permission(raw: &RawRequest) -> RequiredPermission<'_> {
    RequiredPermission::Tenant(tenant_name(raw), Permission::Clients)
}

/// List a tenant's clients.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/clients", tag = "administration", operation_id = "list_clients",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("search" = Option<String>, Query, description = "Part of the id or the name, upper or lower case"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items of a page; 50 by default"),
    ),
    responses(
        (status = 200, description = "A page, in the order of the ids; deleted clients are left out", body = crate::openapi::administration::ClientPage),
        (status = "4XX", description = "401, 403, 404; 400 for a malformed cursor or limit", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    let mut query = Query::of(&raw)?;
    let (search, page) = (query.text("search"), query.paging());
    query.finish()?;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    let found = services.administrator.clients(&by, &tenant, search, cursor, page.limit, now).await?;
    Document::of(StatusCode::OK).body(&found)
}

/// Register a client.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients", tag = "administration", operation_id = "create_client",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = crate::openapi::administration::NewClient, content_type = "application/json"),
    responses(
        (status = 201, description = "The client with its secret, shown this once; Location and ETag", body = crate::openapi::administration::CreatedClient),
        (status = "4XX", description = "401, 403, 404; 400 with errors for a faulty body; 409 for an id that is taken or reserved; 422 for an idempotency key of another request; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    let body = raw.json().await?;
    let key = idempotency(&raw, &body)?;
    let new = documents::new_client(&body)?;
    let made = services.administrator.create_client(&by, &tenant, new, key.as_ref(), now).await?;
    let client = &made.value.client;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(client))
        .made(&names::client_location(&tenant, &client.client_id), made.replayed)
        .body(&made.value)
}

/// Look at a client.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/clients/{client}", tag = "administration", operation_id = "get_client",
    security(("admin_token" = ["latchkey:clients"])),
    params(("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded")),
    responses(
        (status = 200, description = "The client; ETag", body = crate::openapi::administration::Client),
        (status = 304, description = "If-None-Match names what it is"),
        (status = "4XX", description = "401, 403, 404", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn look(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    looked_at(&raw, &services.administrator.client(&by, &tenant, &client, now).await?)
}

/// Change a client.
#[utoipa::path(
    patch, path = "/api/v1/tenant/{id}/clients/{client}", tag = "administration", operation_id = "patch_client",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("client" = String, Path, description = "Client id, percent-encoded"),
        ("If-Match" = Option<String>, Header, description = "Only if the client still has this ETag"),
    ),
    request_body(content = crate::openapi::administration::ClientSettings, content_type = "application/merge-patch+json", description = "RFC 7396: what is named changes, null sets the default, all else stays"),
    responses(
        (status = 200, description = "The client as it is now; ETag", body = crate::openapi::administration::Client),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 for a client that config.yaml declares; 412 for an ETag that is no more; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn patch(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let patch = documents::client_patch(&raw.json().await?)?;
    let if_match = raw.list(&IF_MATCH);
    let administrator = &services.administrator;
    changed(&administrator.patch_client(&by, &tenant, &client, patch, if_match.as_deref(), now).await?)
}

/// Delete a client.
#[utoipa::path(
    delete, path = "/api/v1/tenant/{id}/clients/{client}", tag = "administration", operation_id = "delete_client",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("client" = String, Path, description = "Client id, percent-encoded"),
        ("If-Match" = Option<String>, Header, description = "Only if the client still has this ETag"),
    ),
    responses(
        (status = 204, description = "Its secrets are destroyed, the id stays reserved"),
        (status = "4XX", description = "401, 403, 404; 409 for a client that config.yaml declares; 412; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let if_match = raw.list(&IF_MATCH);
    services.administrator.delete_client(&by, &tenant, &client, if_match.as_deref(), now).await?;
    Ok(Document::of(StatusCode::NO_CONTENT).empty())
}
