//! A request to a tenant. Each step of answering it works with this value.

use protocol::ClientAuthentication;
use tenancy::Tenant;
use values::Timestamp;

use super::log_fields;
use super::raw_request::RawRequest;
use super::refused::LoggedName;
use crate::Services;
use crate::respond::{OAuthError, OAuthResult};

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
    let body = raw.form().await;
    let request = TenantRequest { services, tenant, raw, now: (services.clock)() };
    let served = match &body {
        Ok(body) => serve(request, body).await,
        Err(error) => Err((*error).into()),
    };
    match served {
        Ok(answer) => Ok(answer),
        // Boxed, because the future of a request that is served would be as large.
        Err(refusal) => Err(Box::pin(request.naming(refusal, body.as_deref().map_or(&[], Vec::as_slice)))
            .await
            .in_realm(tenant.issuer.as_str())),
    }
}

impl TenantRequest<'_> {
    /// Names the client of a request that was refused before its credential was checked. Authentication names
    /// the client of every other request.
    async fn naming(self, mut refusal: OAuthError, body: &[u8]) -> OAuthError {
        let Self { services, tenant, raw, .. } = self;
        if log_fields::has_attempted_authentication() {
            return refusal;
        }
        let named = ClientAuthentication::named(raw.authorization().ok().flatten(), body);
        if let Some(named) = named
            && let Some(client) = services.tokens.authenticator.find_named(&tenant.id, &named).await
        {
            refusal.refused.named = LoggedName::Client(client);
        }
        refusal
    }
}
