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

pub(crate) async fn suspend(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let (tenant, if_match) = (names::tenant(&raw)?, raw.list(&IF_MATCH));
    changed(&services.administrator.suspend_tenant(&by, &tenant, if_match.as_deref(), now).await?)
}

pub(crate) async fn resume(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let (tenant, if_match) = (names::tenant(&raw)?, raw.list(&IF_MATCH));
    changed(&services.administrator.resume_tenant(&by, &tenant, if_match.as_deref(), now).await?)
}

pub(crate) async fn restore(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let (tenant, if_match) = (names::tenant(&raw)?, raw.list(&IF_MATCH));
    changed(&services.administrator.cancel_tenant_deletion(&by, &tenant, if_match.as_deref(), now).await?)
}
