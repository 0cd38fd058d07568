//! `POST …/oauth/introspect`: is this token alive? (RFC 7662)

use actix_web::HttpResponse;
use actix_web::web::Data;
use protocol::{IntrospectionRequest, IntrospectionResponse};
use tenancy::Tenant;

use super::tenant_name;
use crate::Services;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, secret_json};
use crate::server::DefaultTenant;

/// Ask about an access token.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/oauth/introspect", tag = "tokens",
    params(("id" = String, Path, description = "Tenant id. The default tenant is also served at /oauth2/introspect.")),
    request_body(content = crate::openapi::IntrospectionForm, content_type = "application/x-www-form-urlencoded"),
    security((), ("client_secret_basic" = [])),
    responses(
        (status = 200, description = "What the caller may know (RFC 7662 section 2.2); {\"active\":false} for everything else", body = crate::openapi::Introspection),
        (status = 400, description = "invalid_request", body = crate::openapi::Error),
        (status = 401, description = "invalid_client, with WWW-Authenticate: Basic", body = crate::openapi::Error),
        (status = 404, description = "Unknown or suspended tenant, or one without oauth2", body = crate::openapi::Error),
        (status = 429, description = "invalid_client, and too many authentications of this source failed before it; Retry-After says when it may fail again", body = crate::openapi::Error),
        (status = 503, description = "The truth is not known now; Retry-After says when", body = crate::openapi::Error),
    )
)]
pub(crate) async fn introspect(
    services: Data<Services>,
    default_tenant: Data<DefaultTenant>,
    mut raw: RawRequest,
) -> Result<HttpResponse, OAuthError> {
    let name = tenant_name(&raw, &default_tenant);
    let tenant = services.tenants.resolve_authorization_server(name).await?;
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
    let caller = services.authenticator.authenticate(tenant, credentials, &raw.source(), now).await?;
    raw.log(|fields| fields.client = Some(caller.client().id.clone()));
    Ok(services.engine.introspect(tenant, &caller, &request.token, now).await?)
}
