//! `POST …/oauth/token`: the token endpoint (RFC 6749 §3.2). The handler is the request's way and nothing else.

use actix_web::HttpResponse;
use actix_web::web::Data;
use grants::TokenRequest;
use protocol::TokenResponse;
use tenancy::Tenant;

use super::tenant_name;
use crate::Services;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, secret_json};
use crate::server::DefaultTenant;

/// Fetch an access token.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/oauth/token", tag = "tokens",
    params(("id" = String, Path, description = "Tenant id. The default tenant is also served at /oauth/token and /oauth2/token.")),
    request_body(content = crate::openapi::TokenForm, content_type = "application/x-www-form-urlencoded"),
    security((), ("client_secret_basic" = [])),
    responses(
        (status = 200, description = "A token (RFC 6749 section 5.1)", body = crate::openapi::Token),
        (status = 400, description = "invalid_request, unauthorized_client, unsupported_grant_type, invalid_scope or invalid_target (RFC 6749 section 5.2, RFC 8707 section 2)", body = crate::openapi::Error),
        (status = 401, description = "invalid_client, with WWW-Authenticate: Basic", body = crate::openapi::Error),
        (status = 404, description = "Unknown or suspended tenant, or one without oauth2", body = crate::openapi::Error),
        (status = 408, description = "Head not complete in 5 s or body not in 10 s", body = crate::openapi::Error),
        (status = 413, description = "Body over 65536 bytes", body = crate::openapi::Error),
        (status = 415, description = "Body is not a form", body = crate::openapi::Error),
        (status = 429, description = "invalid_client, and too many authentications of this source failed before it; Retry-After says when it may fail again", body = crate::openapi::Error),
        (status = 503, description = "Store or hash queue cannot take the request; Retry-After says when", body = crate::openapi::Error),
    )
)]
pub(crate) async fn token(
    services: Data<Services>,
    default_tenant: Data<DefaultTenant>,
    mut raw: RawRequest,
) -> Result<HttpResponse, OAuthError> {
    let name = tenant_name(&raw, &default_tenant);
    let tenant = services.tenants.resolve_authorization_server(name).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let issued = issue(&services, &tenant, &mut raw).await;
    secret_json(&issued.map_err(|refusal| refusal.in_realm(tenant.issuer.as_str()))?)
}

async fn issue(
    services: &Services,
    tenant: &Tenant,
    raw: &mut RawRequest,
) -> Result<TokenResponse, OAuthError> {
    let body = raw.form().await?;
    let now = (services.clock)();
    let (credentials, request) = TokenRequest::parse(raw.authorization()?, &body)?;
    let client = services.authenticator.authenticate(tenant, credentials, &raw.source(), now).await?;
    raw.log(|fields| fields.client = Some(client.client().id.clone()));
    let issued = services.engine.issue(tenant, &client, &request, now).await?;
    raw.log(|fields| fields.signed = Some(issued.algorithm));
    Ok(issued.value)
}
