//! `/api/v1/admin/tenants…`: tenants are created, listed, changed and deleted, by holders of `latchkey:tenants` at the platform.

use actix_web::http::StatusCode;
use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;
use administration::{EntityTag, Permission};

use super::Answer;
use super::idempotency::idempotency;
use super::names;
use super::query::Query;
use crate::authorization::{RequiredPermission, authorize};
use crate::raw_request::RawRequest;
use crate::respond::{Document, changed, looked_at};
use crate::{Services, documents};

const REQUIRED: RequiredPermission<'_> = RequiredPermission::Platform(Permission::Tenants);

pub(crate) async fn list(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let mut query = Query::of(&raw)?;
    let (search, page) = (query.text("search"), query.paging());
    query.finish()?;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    let found = services.administrator.tenants(&by, search, cursor, page.limit, now).await?;
    Document::of(StatusCode::OK).body(&found)
}

pub(crate) async fn create(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let body = raw.json().await?;
    let key = idempotency(&raw, &body)?;
    let new = documents::new_tenant(&body)?;
    let made = services.administrator.create_tenant(&by, new, key.as_ref(), now).await?;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(&made.value.tenant))
        .made(&names::tenant_location(&made.value.tenant.id), made.replayed)
        .body(&made.value)
}

pub(crate) async fn look(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let tenant = names::tenant(&raw)?;
    looked_at(&raw, &services.administrator.tenant(&by, &tenant, now).await?)
}

pub(crate) async fn patch(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let tenant = names::tenant(&raw)?;
    let patch = documents::tenant_patch(&raw.json().await?)?;
    let if_match = raw.list(&IF_MATCH);
    changed(&services.administrator.patch_tenant(&by, &tenant, patch, if_match.as_deref(), now).await?)
}

pub(crate) async fn delete(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, REQUIRED, now).await?;
    let tenant = names::tenant(&raw)?;
    let mut query = Query::of(&raw)?;
    let is_final = query.flag("final");
    query.finish()?;
    let if_match = raw.list(&IF_MATCH);
    if is_final {
        services.administrator.delete_tenant(&by, &tenant, if_match.as_deref(), now).await?;
        return Ok(Document::of(StatusCode::NO_CONTENT).empty());
    }
    let view =
        services.administrator.schedule_tenant_deletion(&by, &tenant, if_match.as_deref(), now).await?;
    Document::of(StatusCode::ACCEPTED).tagged(&EntityTag::of(&view)).body(&view)
}
