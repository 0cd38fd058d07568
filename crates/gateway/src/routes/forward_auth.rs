//! `…/oauth/forward-auth`: may this request pass? For a proxy that asks before it forwards a request to an
//! API (`auth_request` of nginx, `forward_auth` of Caddy, `ForwardAuth` of Traefik, `ext_authz` of Envoy).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::web::Data;
use grants::{AccessTokenClaims, BearerError, ResourceRequirement, confirm_forwarded};
use keys::TokenError;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use protocol::{Form, PresentedToken, Scope, TokenType};
use tenancy::Tenant;

use crate::Services;
use crate::request::{RawRequest, TenantRequest};
use crate::respond::{OAuthError, OAuthResult, no_store};

/// For a tenant that is not served.
const REALM: &str = "forward-auth";

/// Names that every proxy can copy. The proxy must remove them from the requests of its callers.
const TENANT: HeaderName = HeaderName::from_static("x-auth-tenant");
const SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
const CLIENT: HeaderName = HeaderName::from_static("x-auth-client");
const SCOPE: HeaderName = HeaderName::from_static("x-auth-scope");

/// Also everything beyond ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
/// The scope consists of ASCII tokens, separated by spaces.
const ESCAPED_SCOPE: &AsciiSet = &ESCAPED.remove(b' ');

/// Reads neither cookies nor the body, and accepts all methods, because some proxies send that of their
/// caller. A caller's mistake is always a 401 or 403: nginx turns each other refusal into a 500.
pub(crate) async fn forward_auth(services: Data<Services>, raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await;
    let tenant = tenant.map_err(|error| refuse(OAuthError::of_resource_tenant(error), REALM))?;
    raw.serve(&services, &tenant);
    let resource = requirement(&tenant, raw.query())?;
    let realm = tenant.issuer.as_str();
    let malformed = |_| refuse(BearerError::from(TokenError::Malformed).into(), realm);
    let header = raw.authorization().map_err(malformed)?;
    let token = PresentedToken::from_authorization(header)
        .ok_or_else(|| OAuthError { offers_dpop: false, ..OAuthError::bearer_required(realm) })?;
    let request = TenantRequest { services: &services, tenant: &tenant, raw: &raw, now: (services.clock)() };
    let claims = claims(request, &token, &resource).await.map_err(|refusal| {
        let scope = Scope::text(resource.required_scope.iter());
        refusal.in_resource_realm(TokenType::Bearer, realm, scope.as_deref())
    })?;
    raw.log(|fields| fields.client = claims.client_id.parse().ok());
    Ok(facts(&tenant, &claims))
}

/// What the proxy demands: one audience, and any number of scopes.
fn requirement(tenant: &Tenant, query: &str) -> OAuthResult<ResourceRequirement> {
    let mut query = Form::parse(query.as_bytes())?;
    let audience = query.require("audience")?;
    let required_scope = query.take_scope()?.unwrap_or_default();
    let registered = tenant.server_of_resource(&audience).map(|server| server.audience.clone());
    let audience = registered.unwrap_or_else(|| audience.into_owned());
    Ok(ResourceRequirement { tenant: tenant.id.to_string(), audience, required_scope })
}

async fn claims(
    request: TenantRequest<'_>,
    token: &PresentedToken,
    resource: &ResourceRequirement,
) -> OAuthResult<AccessTokenClaims<'static>> {
    let claims = confirm_forwarded(token.scheme, request.admit(token, resource).await?)?;
    let authenticator = &request.services.tokens.authenticator;
    let client = authenticator.find_active(&request.tenant.id, &claims.client_id).await?;
    client.map(|_| claims).ok_or_else(|| BearerError::from(TokenError::Revoked).into())
}

fn refuse(refusal: OAuthError, realm: &str) -> OAuthError {
    refusal.in_resource_realm(TokenType::Bearer, realm, None)
}

/// All headers are always there, so that a proxy that copies them replaces those of its caller.
fn facts(tenant: &Tenant, claims: &AccessTokenClaims<'_>) -> HttpResponse {
    let mut response = no_store(StatusCode::OK);
    for (name, value, escaped) in [
        (TENANT, tenant.id.as_str(), ESCAPED),
        (SUBJECT, &claims.sub, ESCAPED),
        (CLIENT, &claims.client_id, ESCAPED),
        (SCOPE, claims.scope.as_deref().unwrap_or_default(), ESCAPED_SCOPE),
    ] {
        response.insert_header((name, utf8_percent_encode(value, escaped).to_string()));
    }
    response.finish()
}
