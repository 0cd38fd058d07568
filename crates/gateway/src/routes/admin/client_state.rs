//! `POST …/clients/{client}/suspend|resume`: whether a client may authenticate. Each may be sent again without harm.

use administration::ClientStep;
use registry::ClientId;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use crate::respond::changed;

pub(crate) async fn suspend(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    changed(&administrator.step_client(caller, tenant, client, ClientStep::Suspend).await?)
}

pub(crate) async fn resume(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    changed(&administrator.step_client(caller, tenant, client, ClientStep::Resume).await?)
}
