//! `/api/v1/admin/tenants…`: tenants are made, listed, changed and deleted, by whoever holds `latchkey:tenants` at the platform.

use actix_web::http::StatusCode;
use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;
use administration::{EntityTag, Permission};

use super::Answer;
use super::idempotency::idempotency;
use super::names;
use super::query::Query;
use crate::authorization::{RequiredPermission, authorize};
use crate::raw_request::RawRequest;
use crate::respond::{Document, changed, looked_at};
use crate::{Services, documents};

const REQUIRED: RequiredPermission<'_> = RequiredPermission::Platform(Permission::Tenants);

/// List tenants.
#[utoipa::path(
    get, path = "/api/v1/admin/tenants", tag = "administration", operation_id = "list_tenants",
    security(("admin_token" = ["latchkey:tenants"])),
    params(
        ("search" = Option<String>, Query, description = "Words; each must begin a word of the tenant's id or name"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items of a page; 50 by default"),
    ),
    responses(
        (status = 200, description = "A page, in the order of the ids; deleted tenants are left out", body = crate::openapi::administration::TenantPage),
        (status = "4XX", description = "401, 403; 400 for a malformed cursor or limit", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let mut query = Query::of(&raw)?;
    let (search, page) = (query.text("search"), query.paging());
    query.finish()?;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    let found = services.administrator.tenants(&by, search, cursor, page.limit, now).await?;
    Document::of(StatusCode::OK).body(&found)
}

/// Make a tenant.
#[utoipa::path(
    post, path = "/api/v1/admin/tenants", tag = "administration", operation_id = "create_tenant",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer")),
    request_body(content = crate::openapi::administration::NewTenant, content_type = "application/json"),
    responses(
        (status = 201, description = "The tenant, and its first client with its secret if one was asked for; Location and ETag", body = crate::openapi::administration::CreatedTenant),
        (status = "4XX", description = "401, 403; 400 with errors for a faulty body; 409 for an id or issuer that is taken or reserved; 422 for an idempotency key of another request; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let body = raw.json().await?;
    let key = idempotency(&raw, &body)?;
    let new = documents::new_tenant(&body)?;
    let made = services.administrator.create_tenant(&by, new, key.as_ref(), now).await?;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(&made.value.tenant))
        .made(&names::tenant_location(&made.value.tenant.id), made.replayed)
        .body(&made.value)
}

/// Look at a tenant.
#[utoipa::path(
    get, path = "/api/v1/admin/tenants/{id}", tag = "administration", operation_id = "get_tenant",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("id" = String, Path, description = "Tenant id")),
    responses(
        (status = 200, description = "The tenant; ETag", body = crate::openapi::administration::Tenant),
        (status = 304, description = "If-None-Match names what it is"),
        (status = "4XX", description = "401, 403, 404", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn look(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let tenant = names::tenant(&raw)?;
    looked_at(&raw, &services.administrator.tenant(&by, &tenant, now).await?)
}

/// Change a tenant.
#[utoipa::path(
    patch, path = "/api/v1/admin/tenants/{id}", tag = "administration", operation_id = "patch_tenant",
    security(("admin_token" = ["latchkey:tenants"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag"),
    ),
    request_body(content = crate::openapi::administration::TenantSettings, content_type = "application/merge-patch+json", description = "RFC 7396: what is named changes, null sets the default, all else stays"),
    responses(
        (status = 200, description = "The tenant as it is now; ETag", body = crate::openapi::administration::Tenant),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 for a tenant that config.yaml declares; 412 for an ETag that is no more; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn patch(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let tenant = names::tenant(&raw)?;
    let patch = documents::tenant_patch(&raw.json().await?)?;
    let if_match = raw.list(&IF_MATCH);
    changed(&services.administrator.patch_tenant(&by, &tenant, patch, if_match.as_deref(), now).await?)
}

/// Delete a tenant, in two steps.
#[utoipa::path(
    delete, path = "/api/v1/admin/tenants/{id}", tag = "administration", operation_id = "delete_tenant",
    security(("admin_token" = ["latchkey:tenants"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("final" = Option<bool>, Query, description = "The second step, which cannot be taken back"),
        ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag"),
    ),
    responses(
        (status = 202, description = "First step: it serves no more, and is deleted at deletion_due_at unless it is restored", body = crate::openapi::administration::Tenant),
        (status = 204, description = "Second step: secrets and keys are destroyed, the id stays reserved"),
        (status = "4XX", description = "401, 403, 404; 409 for a tenant that config.yaml declares, or the second step before the first; 412; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let tenant = names::tenant(&raw)?;
    let mut query = Query::of(&raw)?;
    let is_final = query.flag("final");
    query.finish()?;
    let if_match = raw.list(&IF_MATCH);
    if is_final {
        services.administrator.delete_tenant(&by, &tenant, if_match.as_deref(), now).await?;
        return Ok(Document::of(StatusCode::NO_CONTENT).empty());
    }
    let view =
        services.administrator.schedule_tenant_deletion(&by, &tenant, if_match.as_deref(), now).await?;
    Document::of(StatusCode::ACCEPTED).tagged(&EntityTag::of(&view)).body(&view)
}
