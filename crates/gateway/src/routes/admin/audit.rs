//! `GET …/audit`: who did what, when, from where. At the platform of all tenants or one, at a tenant of that one.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use administration::{AuditQuery, Authority, Permission};
use tenancy::TenantId;

use super::Answer;
use super::names::{self, tenant_name};
use super::query::Query;
use crate::Services;
use crate::authorization::{RequiredPermission, authorize};
use crate::raw_request::RawRequest;
use crate::respond::Document;

/// Read the audit of the platform.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "administration", operation_id = "read_audit",
    security(("admin_token" = ["latchkey:audit"])),
    params(
        ("tenant" = Option<String>, Query, description = "Only of this tenant"),
        ("actor" = Option<String>, Query, description = "Only by this actor, as client:platform/ops"),
        ("action" = Option<String>, Query, description = "Only this action, as client.changed, or all that begin so, as client."),
        ("subject" = Option<String>, Query, description = "Only about this row or rows below it: svc is also svc/s1"),
        ("since" = Option<String>, Query, description = "From then on, RFC 3339"),
        ("until" = Option<String>, Query, description = "Before then, RFC 3339"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items of a page; 50 by default"),
    ),
    responses(
        (status = 200, description = "A page, the newest first", body = crate::openapi::administration::AuditPage),
        (status = "4XX", description = "401, 403; 400 for a malformed parameter", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn of_platform(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, RequiredPermission::Platform(Permission::Audit), now).await?;
    let mut query = Query::of(&raw)?;
    let tenant = query.text("tenant").map(|name| TenantId::parse(&name));
    if let Some(Err(error)) = &tenant {
        query.fault("tenant", &error.to_string());
    }
    answer(&services, &by, query, tenant.and_then(Result::ok)).await
}

/// Read the audit of a tenant.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/audit", tag = "administration", operation_id = "read_tenant_audit",
    security(("admin_token" = ["latchkey:audit"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("actor" = Option<String>, Query, description = "Only by this actor, as client:platform/ops"),
        ("action" = Option<String>, Query, description = "Only this action, as client.changed, or all that begin so, as client."),
        ("subject" = Option<String>, Query, description = "Only about this row or rows below it: svc is also svc/s1"),
        ("since" = Option<String>, Query, description = "From then on, RFC 3339"),
        ("until" = Option<String>, Query, description = "Before then, RFC 3339"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items of a page; 50 by default"),
    ),
    responses(
        (status = 200, description = "A page, the newest first", body = crate::openapi::administration::AuditPage),
        (status = "4XX", description = "401, 403, 404; 400 for a malformed parameter", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn of_tenant(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let required = RequiredPermission::Tenant(tenant_name(&raw), Permission::Audit);
    let by = authorize(&services, &raw, required, now).await?;
    let tenant = names::tenant(&raw)?;
    answer(&services, &by, Query::of(&raw)?, Some(tenant)).await
}

async fn answer(services: &Services, by: &Authority, mut query: Query, tenant: Option<TenantId>) -> Answer {
    let page = query.paging();
    let wanted = AuditQuery {
        tenant,
        actor: query.text("actor"),
        action: query.text("action"),
        subject: query.text("subject"),
        since: query.instant("since"),
        until: query.instant("until"),
        before: None,
        limit: page.limit,
    };
    query.finish()?;
    let found = services.administrator.audit(by, wanted, page.cursor.as_deref()).await?;
    Document::of(StatusCode::OK).body(&found)
}
