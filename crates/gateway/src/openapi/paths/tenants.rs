//! Tenants and the audit.

use administration::Permission::{Audit, Tenants};
use administration::{AuditView, CreatedTenant, NewTenant, Page, TenantSettings, TenantView};
use utoipa::openapi::HttpMethod::{Delete, Get, Patch, Post};

use crate::openapi::operation::{JSON, MERGE_PATCH, MERGED, NOT_MODIFIED, Operation, admin};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        admin(Get, "/api/v1/admin/tenants", Tenants)
            .named("list_tenants", "List tenants.")
            .query("string", "search", "Words; each must begin a word of the tenant's id or name")
            .paging()
            .answer::<Page<TenantView>>(
                "200",
                "A page, in the order of the ids; deleted tenants are left out",
            ),
        admin(Post, "/api/v1/admin/tenants", Tenants)
            .named("create_tenant", "Make a tenant.")
            .idempotent()
            .body::<NewTenant>(JSON, None)
            .answer::<CreatedTenant>(
                "201",
                "The tenant, and its first client with its secret if one was asked for; Location and ETag",
            )
            .error("409", "The id or the issuer is taken or reserved"),
        admin(Get, "/api/v1/admin/tenants/{id}", Tenants)
            .named("get_tenant", "Look at a tenant.")
            .answer::<TenantView>("200", "The tenant; ETag")
            .empty_answer("304", NOT_MODIFIED),
        admin(Patch, "/api/v1/admin/tenants/{id}", Tenants)
            .named("patch_tenant", "Change a tenant.")
            .if_match("tenant")
            .optional_body::<TenantSettings>(MERGE_PATCH, MERGED)
            .answer::<TenantView>("200", "The tenant as it is now; ETag")
            .error("409", "config.yaml declares the tenant, or it was changed at the same time"),
        admin(Delete, "/api/v1/admin/tenants/{id}", Tenants)
            .named("delete_tenant", "Delete a tenant, in two steps.")
            .query("boolean", "final", "The second step, which cannot be taken back")
            .if_match("tenant")
            .answer::<TenantView>(
                "202",
                "First step: it serves no more, and is deleted at deletion_due_at unless it is restored",
            )
            .empty_answer("204", "Second step: secrets and keys are destroyed, the id stays reserved")
            .error("409", "config.yaml declares the tenant, or the second step came before the first"),
        admin(Post, "/api/v1/admin/tenants/{id}/suspend", Tenants)
            .named("suspend_tenant", "Stop a tenant from serving.")
            .if_match("tenant")
            .answer::<TenantView>(
                "200",
                "The tenant as it is now; its key set stays until its last token has expired",
            ),
        admin(Post, "/api/v1/admin/tenants/{id}/resume", Tenants)
            .named("resume_tenant", "Let a suspended tenant serve again.")
            .if_match("tenant")
            .answer::<TenantView>("200", "The tenant as it is now"),
        admin(Post, "/api/v1/admin/tenants/{id}/tokens/revoke", Tenants)
            .named("revoke_tenant_tokens", "Revoke all tokens that a tenant has issued until now.")
            .answer::<TenantView>("200", "The tenant as it is; its next tokens are valid"),
        admin(Post, "/api/v1/admin/tenants/{id}/restore", Tenants)
            .named("restore_tenant", "Take the first step of a deletion back.")
            .if_match("tenant")
            .answer::<TenantView>("200", "The tenant as it is now, with its clients, secrets and keys"),
    ]
}

pub(crate) fn audit() -> Vec<Operation> {
    vec![
        records(
            admin(Get, "/api/v1/admin/audit", Audit)
                .named("read_audit", "Read the audit of the platform.")
                .query("string", "tenant", "Only of this tenant"),
        ),
        records(
            admin(Get, "/api/v1/tenant/{id}/audit", Audit)
                .named("read_tenant_audit", "Read the audit of a tenant."),
        ),
    ]
}

/// With the filter and the page of audit records.
fn records(operation: Operation) -> Operation {
    operation
        .query("string", "actor", "Only by this actor, as client:platform/ops")
        .query("string", "action", "Only this action, as client.changed, or all that begin so, as client.")
        .query("string", "subject", "Only about this row or rows below it: svc is also svc/s1")
        .query("string", "since", "From then on, RFC 3339; empty counts as absent")
        .query("string", "until", "Before then, RFC 3339; empty counts as absent")
        .paging()
        .answer::<Page<AuditView>>("200", "A page, the newest first")
}
