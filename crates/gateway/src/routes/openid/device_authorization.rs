//! `POST …/oauth/device_authorization`: a device without a browser starts a sign-in (RFC 8628
//! §3.1).

use actix_web::http::StatusCode;
use actix_web::web::Data;
use grants::{DeviceAuthorizationRequest, Grantee};
use protocol::{ErrorCode, ErrorResponse, RefusalReason};
use registry::Purpose;

use crate::Services;
use crate::options::BaseUrl;
use crate::request::{RawRequest, TenantRequest, serve_form};
use crate::respond::{OAuthError, OAuthResult, secret_document};

/// Seconds in `Retry-After` for a client with too many codes.
const WAIT: u32 = 60;

pub(crate) async fn begin(
    services: Data<Services>,
    public_url: Data<BaseUrl>,
    mut raw: RawRequest,
) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    let begin = async |request: TenantRequest<'_>, body: &[u8]| codes(request, &public_url, body).await;
    serve_form(&services, &tenant, &mut raw, begin).await
}

async fn codes(request: TenantRequest<'_>, public_url: &BaseUrl, body: &[u8]) -> OAuthResult {
    let TenantRequest { services, tenant, raw, now } = request;
    let (credentials, requested) = DeviceAuthorizationRequest::parse(raw.authorization()?, body)?;
    let client = request.authenticate(credentials, Purpose::Identify).await?;
    let grantee = Grantee { tenant, client: client.client() };
    let granted = requested.check(&grantee)?;
    // A code from a second whose codes are revoked would be invalid.
    let now = services.tokens.engine.first_second_of_codes(tenant, client.client(), now).await?;
    // Short for the default tenant, because a person types it.
    let verification_uri = match raw.tenant() {
        Some(_) => format!("{}/api/v1/tenant/{}/device", public_url.0, tenant.id),
        None => format!("{}/device", public_url.0),
    };
    let (source, client) = (raw.source(), client.client());
    let begun =
        services.authorizations.devices().begin(client, granted, &source, verification_uri, now).await?;
    let begun = begun.ok_or_else(|| {
        let description = "Too many of this client's device codes are waiting for a person";
        let body = ErrorResponse::new(ErrorCode::SlowDown, RefusalReason::TooManyDeviceCodes, description);
        // RFC 6585 §4.
        OAuthError { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(WAIT), ..body.into() }
    })?;
    Ok(secret_document(begun.to_json().map_err(|error| OAuthError::fault(&error))?))
}
