//! `POST …/clients/{client}/suspend|resume`: whether a client may authenticate. Each may be sent again without harm.

use registry::ClientId;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use crate::respond::changed;

pub(crate) async fn suspend(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, by, now, target: (tenant, client), .. } = &request;
    changed(&administrator.suspend_client(by, tenant, client, request.if_match().as_deref(), *now).await?)
}

pub(crate) async fn resume(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, by, now, target: (tenant, client), .. } = &request;
    changed(&administrator.resume_client(by, tenant, client, request.if_match().as_deref(), *now).await?)
}
