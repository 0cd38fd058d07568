//! `POST /api/v1/admin/tenants/{id}/suspend|resume|restore`: whether a tenant serves. Each may be sent again without harm.

use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;
use administration::Permission;

use super::{Answer, names};
use crate::Services;
use crate::authorization::{RequiredPermission, authorize};
use crate::raw_request::RawRequest;
use crate::respond::changed;

const REQUIRED: RequiredPermission<'_> = RequiredPermission::Platform(Permission::Tenants);

/// Stop a tenant from serving.
#[utoipa::path(
    post, path = "/api/v1/admin/tenants/{id}/suspend", tag = "administration", operation_id = "suspend_tenant",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("id" = String, Path, description = "Tenant id"), ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag")),
    responses(
        (status = 200, description = "The tenant as it is now; its key set stays until its last token has expired", body = crate::openapi::administration::Tenant),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn suspend(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let (tenant, if_match) = (names::tenant(&raw)?, raw.list(&IF_MATCH));
    changed(&services.administrator.suspend_tenant(&by, &tenant, if_match.as_deref(), now).await?)
}

/// Let a suspended tenant serve again.
#[utoipa::path(
    post, path = "/api/v1/admin/tenants/{id}/resume", tag = "administration", operation_id = "resume_tenant",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("id" = String, Path, description = "Tenant id"), ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag")),
    responses(
        (status = 200, description = "The tenant as it is now", body = crate::openapi::administration::Tenant),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn resume(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let (tenant, if_match) = (names::tenant(&raw)?, raw.list(&IF_MATCH));
    changed(&services.administrator.resume_tenant(&by, &tenant, if_match.as_deref(), now).await?)
}

/// Take the first step of a deletion back.
#[utoipa::path(
    post, path = "/api/v1/admin/tenants/{id}/restore", tag = "administration", operation_id = "restore_tenant",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("id" = String, Path, description = "Tenant id"), ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag")),
    responses(
        (status = 200, description = "The tenant as it is now, with its clients, secrets and keys", body = crate::openapi::administration::Tenant),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn restore(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let (tenant, if_match) = (names::tenant(&raw)?, raw.list(&IF_MATCH));
    changed(&services.administrator.cancel_tenant_deletion(&by, &tenant, if_match.as_deref(), now).await?)
}
