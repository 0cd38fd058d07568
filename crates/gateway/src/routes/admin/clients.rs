//! `/api/v1/tenant/{id}/clients…`: clients are registered, listed, changed and deleted, by holders of `latchkey:clients` at the
//! platform or in the tenant.

use actix_web::http::StatusCode;
use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;
use administration::{EntityTag, Permission};

use super::Answer;
use super::idempotency::idempotency;
use super::names::{self, tenant_name};
use super::query::Query;
use crate::authorization::{RequiredPermission, authorize};
use crate::raw_request::RawRequest;
use crate::respond::{Document, changed, looked_at};
use crate::{Services, documents};

pub(super) fn required_permission(raw: &RawRequest) -> RequiredPermission<'_> {
    RequiredPermission::Tenant(tenant_name(raw), Permission::Clients)
}

pub(crate) async fn list(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    let mut query = Query::of(&raw)?;
    let (search, page) = (query.text("search"), query.paging());
    query.finish()?;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    let found = services.administrator.clients(&by, &tenant, search, cursor, page.limit, now).await?;
    Document::of(StatusCode::OK).body(&found)
}

pub(crate) async fn create(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    let body = raw.json().await?;
    let key = idempotency(&raw, &body)?;
    let new = documents::new_client(&body)?;
    let made = services.administrator.create_client(&by, &tenant, new, key.as_ref(), now).await?;
    let client = &made.value.client;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(client))
        .made(&names::client_location(&tenant, &client.client_id), made.replayed)
        .body(&made.value)
}

pub(crate) async fn look(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    looked_at(&raw, &services.administrator.client(&by, &tenant, &client, now).await?)
}

pub(crate) async fn patch(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let patch = documents::client_patch(&raw.json().await?)?;
    let if_match = raw.list(&IF_MATCH);
    let administrator = &services.administrator;
    changed(&administrator.patch_client(&by, &tenant, &client, patch, if_match.as_deref(), now).await?)
}

pub(crate) async fn delete(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let if_match = raw.list(&IF_MATCH);
    services.administrator.delete_client(&by, &tenant, &client, if_match.as_deref(), now).await?;
    Ok(Document::of(StatusCode::NO_CONTENT).empty())
}
