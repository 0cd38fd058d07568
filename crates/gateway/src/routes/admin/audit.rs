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
