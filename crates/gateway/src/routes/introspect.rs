//! `POST …/oauth/introspect`: is this token alive? (RFC 7662)

use actix_web::HttpResponse;
use actix_web::web::Data;
use protocol::{IntrospectionRequest, IntrospectionResponse};
use tenancy::Tenant;

use crate::Services;
use crate::client_authentication::authenticate;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, secret_json};

pub(crate) async fn introspect(
    services: Data<Services>,
    mut raw: RawRequest,
) -> Result<HttpResponse, OAuthError> {
    let tenant = services.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let answer = answer(&services, &tenant, &mut raw).await;
    secret_json(&answer.map_err(|refusal| refusal.in_realm(tenant.issuer.as_str()))?)
}

async fn answer(
    services: &Services,
    tenant: &Tenant,
    raw: &mut RawRequest,
) -> Result<IntrospectionResponse, OAuthError> {
    let body = raw.form().await?;
    let now = (services.clock)();
    let (credentials, request) = IntrospectionRequest::parse(raw.authorization()?, &body)?;
    let caller = authenticate(services, tenant, credentials, raw, now).await?;
    Ok(services.engine.introspect(tenant, &caller, &request.token, now).await?)
}
