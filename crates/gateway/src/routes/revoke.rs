//! `POST …/oauth/revoke`: this token is not needed any more (RFC 7009).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use protocol::RevocationRequest;
use tenancy::Tenant;

use crate::Services;
use crate::client_authentication::authenticate_or_identify;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, no_store};

pub(crate) async fn revoke(
    services: Data<Services>,
    mut raw: RawRequest,
) -> Result<HttpResponse, OAuthError> {
    let tenant = services.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    // RFC 7009 §2.2.1: the errors are those of RFC 6749 §5.2, and 503 means that "the client must assume the token still exists and may retry
    // after a reasonable delay", which Retry-After names.
    let revoked = take_back(&services, &tenant, &mut raw).await;
    revoked.map_err(|refusal| refusal.in_realm(tenant.issuer.as_str()))?;
    // RFC 7009 §2.2: "The content of the response body is ignored by the client as all necessary information is conveyed in the response
    // code." An empty body is no JSON, so no media type claims that it is.
    Ok(no_store(StatusCode::OK).finish())
}

async fn take_back(services: &Services, tenant: &Tenant, raw: &mut RawRequest) -> Result<(), OAuthError> {
    let body = raw.form().await?;
    let now = (services.clock)();
    let (credentials, request) = RevocationRequest::parse(raw.authorization()?, &body)?;
    // RFC 7009 §2.1: "The authorization server first validates the client credentials (in case of a confidential client)". A public client
    // is named, and proves by the token that it may end it. §5: who guesses tokens has to authenticate first, and a guess has no signature.
    let caller = authenticate_or_identify(services, tenant, credentials, raw, now).await?;
    // RFC 7009 §2.2: "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the client
    // submitted an invalid token."
    Ok(services.engine.revoke(tenant, &caller, &request.token, now).await?)
}
