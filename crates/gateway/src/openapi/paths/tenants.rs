//! Paths of the admin API: tenants and the audit.

use crate::openapi::schemas::{
    AuditPage, CreatedTenant, NewTenant, Problem, Tenant, TenantPage, TenantSettings,
};

/// List tenants.
#[utoipa::path(
    get, path = "/api/v1/admin/tenants", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(
        ("search" = Option<String>, Query, description = "Words; each must begin a word of the tenant's id or name"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items of a page; 50 by default"),
    ),
    responses(
        (status = 200, description = "A page, in the order of the ids; deleted tenants are left out", body = TenantPage),
        (status = "4XX", description = "401, 403; 400 for a malformed cursor or limit", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn list_tenants() {}

/// Make a tenant.
#[utoipa::path(
    post, path = "/api/v1/admin/tenants", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer")),
    request_body(content = NewTenant, content_type = "application/json"),
    responses(
        (status = 201, description = "The tenant, and its first client with its secret if one was asked for; Location and ETag", body = CreatedTenant),
        (status = "4XX", description = "401, 403; 400 with errors for a faulty body; 409 for an id or issuer that is taken or reserved; 422 for an idempotency key of another request; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn create_tenant() {}

/// Look at a tenant.
#[utoipa::path(
    get, path = "/api/v1/admin/tenants/{id}", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("id" = String, Path, description = "Tenant id")),
    responses(
        (status = 200, description = "The tenant; ETag", body = Tenant),
        (status = 304, description = "If-None-Match names what it is"),
        (status = "4XX", description = "401, 403, 404", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn get_tenant() {}

/// Change a tenant.
#[utoipa::path(
    patch, path = "/api/v1/admin/tenants/{id}", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag"),
    ),
    request_body(content = TenantSettings, content_type = "application/merge-patch+json", description = "RFC 7396: what is named changes, null sets the default, all else stays"),
    responses(
        (status = 200, description = "The tenant as it is now; ETag", body = Tenant),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 for a tenant that config.yaml declares; 412 for an ETag that is no more; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn patch_tenant() {}

/// Delete a tenant, in two steps.
#[utoipa::path(
    delete, path = "/api/v1/admin/tenants/{id}", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("final" = Option<bool>, Query, description = "The second step, which cannot be taken back"),
        ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag"),
    ),
    responses(
        (status = 202, description = "First step: it serves no more, and is deleted at deletion_due_at unless it is restored", body = Tenant),
        (status = 204, description = "Second step: secrets and keys are destroyed, the id stays reserved"),
        (status = "4XX", description = "401, 403, 404; 409 for a tenant that config.yaml declares, or the second step before the first; 412; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn delete_tenant() {}

/// Stop a tenant from serving.
#[utoipa::path(
    post, path = "/api/v1/admin/tenants/{id}/suspend", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("id" = String, Path, description = "Tenant id"), ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag")),
    responses(
        (status = 200, description = "The tenant as it is now; its key set stays until its last token has expired", body = Tenant),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn suspend_tenant() {}

/// Let a suspended tenant serve again.
#[utoipa::path(
    post, path = "/api/v1/admin/tenants/{id}/resume", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("id" = String, Path, description = "Tenant id"), ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag")),
    responses(
        (status = 200, description = "The tenant as it is now", body = Tenant),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn resume_tenant() {}

/// Take the first step of a deletion back.
#[utoipa::path(
    post, path = "/api/v1/admin/tenants/{id}/restore", tag = "administration",
    security(("admin_token" = ["latchkey:tenants"])),
    params(("id" = String, Path, description = "Tenant id"), ("If-Match" = Option<String>, Header, description = "Only if the tenant still has this ETag")),
    responses(
        (status = 200, description = "The tenant as it is now, with its clients, secrets and keys", body = Tenant),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn restore_tenant() {}

/// Read the audit of the platform.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "administration",
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
        (status = 200, description = "A page, the newest first", body = AuditPage),
        (status = "4XX", description = "401, 403; 400 for a malformed parameter", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn read_audit() {}

/// Read the audit of a tenant.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/audit", tag = "administration",
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
        (status = 200, description = "A page, the newest first", body = AuditPage),
        (status = "4XX", description = "401, 403, 404; 400 for a malformed parameter", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn read_tenant_audit() {}
