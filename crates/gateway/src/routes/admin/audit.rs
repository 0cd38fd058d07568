//! `GET …/audit`: the actor, change, time and address of each action. The platform's path covers all tenants,
//! a tenant's path that tenant.

use actix_web::http::StatusCode;
use administration::Permission::Audit;
use administration::{AuditQuery, AuditView, Page};
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::query::Query;
use crate::openapi::HttpMethod::Get;
use crate::openapi::Operation;
use crate::respond::ResponseDocument;

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        records(
            at(Get, "/api/v1/admin/audit", Audit, of_platform)
                .named("read_audit", "Read the audit of the platform.")
                .query("string", "tenant", "Only of this tenant"),
        ),
        records(
            at(Get, "/api/v1/tenant/{id}/audit", Audit, of_tenant)
                .named("read_tenant_audit", "Read the audit of a tenant."),
        ),
    ]
}

async fn of_platform(request: AdminRequest<()>) -> Answer {
    answer(&request, |query| query.parsed("tenant", TenantId::parse)).await
}

async fn of_tenant(request: AdminRequest<TenantId>) -> Answer {
    answer(&request, |_| Some(request.target.clone())).await
}

async fn answer<T>(
    request: &AdminRequest<T>,
    tenant: impl FnOnce(&mut Query<'_>) -> Option<TenantId>,
) -> Answer {
    let (wanted, cursor) = request.query(|query| {
        let (tenant, page) = (tenant(query), query.paging());
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
        (wanted, page.cursor)
    })?;
    let found = request.administrator.audit(&request.caller, wanted, cursor.as_deref()).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&found)
}

/// Adds the filter and the page of audit records.
fn records(operation: Operation) -> Operation {
    operation
        .query("string", "actor", "Only by this actor, as client:platform/ops")
        .query("string", "action", "Only this action, as client.changed, or all that begin so, as client.")
        .query("string", "subject", "Only about this row or rows below it: svc is also svc/s1")
        .query("string", "since", "From then on, RFC 3339; empty counts as absent")
        .query("string", "until", "Before then, RFC 3339; empty counts as absent")
        .paging("MTc2NzIyNTYwMApnbG9iZXgKNw")
        .answer::<Page<AuditView>>("200", "A page, the newest first")
}
