//! `POST /api/v1/admin/tenants/{id}/suspend|resume|restore`: whether a tenant serves. Each may be sent again without harm.

use administration::TenantStep;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use crate::respond::changed;

pub(crate) async fn suspend(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    changed(&administrator.step_tenant(caller, tenant, TenantStep::Suspend).await?)
}

pub(crate) async fn resume(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    changed(&administrator.step_tenant(caller, tenant, TenantStep::Resume).await?)
}

pub(crate) async fn restore(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    changed(&administrator.step_tenant(caller, tenant, TenantStep::CancelDeletion).await?)
}
