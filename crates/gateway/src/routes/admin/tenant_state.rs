//! `POST /api/v1/admin/tenants/{id}/suspend|resume|restore`: whether a tenant serves. Each may be sent again without harm.

use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use crate::respond::changed;

pub(crate) async fn suspend(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, by, now, target: tenant, .. } = &request;
    changed(&administrator.suspend_tenant(by, tenant, request.if_match().as_deref(), *now).await?)
}

pub(crate) async fn resume(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, by, now, target: tenant, .. } = &request;
    changed(&administrator.resume_tenant(by, tenant, request.if_match().as_deref(), *now).await?)
}

pub(crate) async fn restore(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, by, now, target: tenant, .. } = &request;
    changed(&administrator.cancel_tenant_deletion(by, tenant, request.if_match().as_deref(), *now).await?)
}
