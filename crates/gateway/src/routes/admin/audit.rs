//! `GET …/audit`: who changed what, when, and from which address. The platform's path returns the
//! records of all tenants.

use actix_web::http::StatusCode;
use administration::documents::{AuditView, Page};
use administration::kinds::Permission::Audit;
use administration::store::query::AuditQuery;
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
                .named("read_audit", "Read the platform's audit log.")
                .query("string", "tenant", "Only entries of this tenant"),
        ),
        records(
            at(Get, "/api/v1/tenant/{id}/audit", Audit, of_tenant)
                .named("read_tenant_audit", "Read a tenant's audit log."),
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

/// Adds the parameters for filtering and paging.
fn records(operation: Operation) -> Operation {
    operation
        .query("string", "actor", "Only entries by this actor, such as client:platform/ops")
        .query(
            "string",
            "action",
            "Only this action, such as client.changed, or all actions with this \
            prefix, such as client.",
        )
        .query("string", "subject", "Only entries about this row or rows below it: svc also matches svc/s1")
        .query("string", "since", "From this time on, RFC 3339; an empty value counts as absent")
        .query("string", "until", "Before this time, RFC 3339; an empty value counts as absent")
        .paging("MTc2NzIyNTYwMApnbG9iZXgKNw")
        .answer::<Page<AuditView>>("200", "A page, newest first")
}
