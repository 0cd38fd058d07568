//! `/api/v1/tenant/{id}/clients…`: register, list, change and delete clients, with `latchkey:clients` of the platform or of the
//! tenant.

use actix_web::http::StatusCode;
use administration::EntityTag;
use registry::ClientId;
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::{Answer, names};
use crate::documents;
use crate::respond::{Document, changed, looked_at};

pub(crate) async fn list(request: AdminRequest<TenantId>) -> Answer {
    let mut query = request.query()?;
    let (search, page) = (query.text("search"), query.paging());
    query.finish()?;
    let AdminRequest { administrator, by, now, target: tenant, .. } = &request;
    let (search, cursor) = (search.as_deref(), page.cursor.as_deref());
    let found = administrator.clients(by, tenant, search, cursor, page.limit, *now).await?;
    Document::of(StatusCode::OK).body(&found)
}

pub(crate) async fn create(mut request: AdminRequest<TenantId>) -> Answer {
    let body = request.body().await?;
    let key = request.idempotency(&body)?;
    let new = documents::new_client(&body)?;
    let AdminRequest { administrator, by, now, target: tenant, .. } = &request;
    let made = administrator.create_client(by, tenant, new, key.as_ref(), *now).await?;
    let client = &made.value.client;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(client))
        .made(&names::client_location(tenant, &client.client_id), made.replayed)
        .body(&made.value)
}

pub(crate) async fn look(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, by, now, target: (tenant, client), raw } = &request;
    looked_at(raw, &administrator.client(by, tenant, client, *now).await?)
}

pub(crate) async fn patch(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let patch = documents::client_patch(&request.body().await?)?;
    let AdminRequest { administrator, by, now, target: (tenant, client), .. } = &request;
    let if_match = request.if_match();
    changed(&administrator.patch_client(by, tenant, client, patch, if_match.as_deref(), *now).await?)
}

pub(crate) async fn delete(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, by, now, target: (tenant, client), .. } = &request;
    administrator.delete_client(by, tenant, client, request.if_match().as_deref(), *now).await?;
    Ok(Document::of(StatusCode::NO_CONTENT).empty())
}
