//! A request to a tenant. Each step of answering it works with this value.

use tenancy::Tenant;
use values::Timestamp;

use super::raw_request::RawRequest;
use crate::Services;
use crate::respond::OAuthResult;

/// A request, once its tenant is known and its body is read.
#[derive(Clone, Copy)]
pub(crate) struct TenantRequest<'r> {
    pub(crate) services: &'r Services,
    pub(crate) tenant: &'r Tenant,
    pub(crate) raw: &'r RawRequest,
    pub(crate) now: Timestamp,
}

/// Serves the form that a client has sent to a tenant. A refused client gets a challenge in the tenant's
/// realm.
pub(crate) async fn serve_form<A>(
    services: &Services,
    tenant: &Tenant,
    raw: &mut RawRequest,
    serve: impl AsyncFnOnce(TenantRequest<'_>, &[u8]) -> OAuthResult<A>,
) -> OAuthResult<A> {
    raw.serve(services, tenant);
    let body = raw.form().await?;
    let request = TenantRequest { services, tenant, raw, now: (services.clock)() };
    serve(request, &body).await.map_err(|refusal| refusal.in_realm(tenant.issuer.as_str()))
}
