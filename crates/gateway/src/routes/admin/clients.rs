//! `/api/v1/tenant/{id}/clients…`: register, list, change and delete clients, with `latchkey:clients` of the platform or of the
//! tenant.

use actix_web::http::StatusCode;
use administration::{ClientSettings, ClientStep, EntityTag, NewClient};
use registry::{Client, ClientId};
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::admin_resource::AdminHandler;
use super::{Answer, names};
use crate::documents;
use crate::respond::{Document, changed, looked_at};

pub(crate) async fn list(request: AdminRequest<TenantId>) -> Answer {
    let (search, page) = request.query(|query| (query.text("search"), query.paging()))?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    let found = administrator.clients(caller, tenant, search, cursor, page.limit).await?;
    Document::of(StatusCode::OK).body(&found)
}

pub(crate) async fn create(mut request: AdminRequest<TenantId>) -> Answer {
    let new = request.creation(NewClient::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let made = administrator.create_client(caller, tenant, new).await?;
    let client = &made.value.client;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(client))
        .made(&names::client_location(tenant, &client.client_id), made.replayed)
        .body(&made.value)
}

pub(crate) async fn look(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client), raw, .. } = &request;
    looked_at(raw, &administrator.look::<Client>(caller, tenant, client).await?)
}

pub(crate) async fn patch(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let patch = documents::patch(&request.raw.json().await?, ClientSettings::read)?;
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    changed(&administrator.patch::<Client>(caller, tenant, client, patch).await?)
}

/// Suspends or resumes a client, or revokes its tokens. A step may be sent again without harm.
pub(crate) fn step(step: ClientStep) -> impl AdminHandler<(TenantId, ClientId)> {
    async move |request: AdminRequest<(TenantId, ClientId)>| {
        let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
        changed(&administrator.step::<Client>(caller, tenant, client, step).await?)
    }
}

pub(crate) async fn delete(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    administrator.step::<Client>(caller, tenant, client, ClientStep::Delete).await?;
    Ok(Document::of(StatusCode::NO_CONTENT).empty())
}
