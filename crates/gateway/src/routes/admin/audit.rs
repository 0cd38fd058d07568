//! `GET …/audit`: who did what, when, from where. The platform's path covers all tenants, a tenant's path that tenant.

use actix_web::http::StatusCode;
use administration::AuditQuery;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::query::Query;
use crate::respond::Document;

pub(crate) async fn of_platform(request: AdminRequest<()>) -> Answer {
    answer(&request, |query| query.parsed("tenant", TenantId::parse)).await
}

pub(crate) async fn of_tenant(request: AdminRequest<TenantId>) -> Answer {
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
    Document::of(StatusCode::OK).body(&found)
}
