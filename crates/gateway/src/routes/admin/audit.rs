//! `GET …/audit`: who did what, when, from where. The platform's path covers all tenants, a tenant's path that tenant.

use actix_web::http::StatusCode;
use administration::AuditQuery;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::query::Query;
use crate::respond::Document;

pub(crate) async fn of_platform(request: AdminRequest<()>) -> Answer {
    let mut query = request.query()?;
    let tenant = query.text("tenant").map(|name| TenantId::parse(&name));
    if let Some(Err(error)) = &tenant {
        query.fault("tenant", &error.to_string());
    }
    answer(&request, query, tenant.and_then(Result::ok)).await
}

pub(crate) async fn of_tenant(request: AdminRequest<TenantId>) -> Answer {
    answer(&request, request.query()?, Some(request.target.clone())).await
}

async fn answer<T>(request: &AdminRequest<T>, mut query: Query, tenant: Option<TenantId>) -> Answer {
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
    let found = request.administrator.audit(&request.caller, wanted, page.cursor.as_deref()).await?;
    Document::of(StatusCode::OK).body(&found)
}
