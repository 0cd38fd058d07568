//! `/api/v1/admin/tenants…`: create, list, change and delete tenants, with the platform's permission `latchkey:tenants`.

use actix_web::http::StatusCode;
use administration::{EntityTag, NewTenant, TenantSettings, TenantStep};
use tenancy::{Tenant, TenantId};

use super::admin_request::AdminRequest;
use super::admin_resource::AdminHandler;
use super::{Answer, names};
use crate::body::BodyBounds;
use crate::documents;
use crate::respond::{Document, changed, looked_at};

pub(crate) async fn list(request: AdminRequest<()>) -> Answer {
    let (search, page) = request.query(|query| (query.text("search"), query.paging()))?;
    let AdminRequest { administrator, caller, .. } = &request;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    Document::of(StatusCode::OK).body(&administrator.tenants(caller, search, cursor, page.limit).await?)
}

pub(crate) async fn create(mut request: AdminRequest<()>) -> Answer {
    let new = request.creation_within(BodyBounds::TENANT, NewTenant::read).await?;
    let AdminRequest { administrator, caller, .. } = &request;
    let made = administrator.create_tenant(caller, new).await?;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(&made.value.tenant))
        .made(&names::tenant_location(&made.value.tenant.id), made.replayed)
        .body(&made.value)
}

pub(crate) async fn look(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, raw, .. } = &request;
    looked_at(raw, &administrator.look::<Tenant>(caller, tenant, &()).await?)
}

pub(crate) async fn patch(mut request: AdminRequest<TenantId>) -> Answer {
    let patch = request.raw.json_within(BodyBounds::TENANT).await?;
    let patch = documents::patch(&patch, TenantSettings::read)?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    changed(&administrator.patch::<Tenant>(caller, tenant, &(), patch).await?)
}

/// Suspends, resumes or restores a tenant, or revokes its tokens. A step may be sent again without harm.
pub(crate) fn step(step: TenantStep) -> impl AdminHandler<TenantId> {
    async move |AdminRequest { administrator, caller, target: tenant, .. }: AdminRequest<TenantId>| {
        changed(&administrator.step::<Tenant>(&caller, &tenant, &(), step).await?)
    }
}

pub(crate) async fn delete(request: AdminRequest<TenantId>) -> Answer {
    let is_final = request.query(|query| query.flag("final"))?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    if is_final {
        administrator.step::<Tenant>(caller, tenant, &(), TenantStep::Delete).await?;
        return Ok(Document::of(StatusCode::NO_CONTENT).empty());
    }
    let view = administrator.step::<Tenant>(caller, tenant, &(), TenantStep::ScheduleDeletion).await?;
    Document::of(StatusCode::ACCEPTED).tagged(&EntityTag::of(&view)).body(&view)
}
