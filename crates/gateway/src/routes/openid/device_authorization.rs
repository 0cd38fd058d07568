//! `POST …/oauth/device_authorization`: a device without a browser begins (RFC 8628 §3.1).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use grants::{DeviceAuthorizationRequest, Grantee};
use protocol::{DeviceAuthorizationResponse, ErrorCode, ErrorResponse, RefusalReason};
use tenancy::Tenant;

use crate::Services;
use crate::client_authentication::authenticate_or_identify;
use crate::options::PublicUrl;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, secret_document};

/// Seconds after which a client with too many codes may try again.
const WAIT: u32 = 60;

pub(crate) async fn begin(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    mut raw: RawRequest,
) -> Result<HttpResponse, OAuthError> {
    let tenant = services.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let begun = codes(&services, &tenant, &public_url, &mut raw).await;
    let begun = begun.map_err(|refusal| refusal.in_realm(tenant.issuer.as_str()))?;
    Ok(secret_document(begun.to_json().map_err(|error| OAuthError::fault(&error))?))
}

async fn codes(
    services: &Services,
    tenant: &Tenant,
    public_url: &PublicUrl,
    raw: &mut RawRequest,
) -> Result<DeviceAuthorizationResponse, OAuthError> {
    let body = raw.form().await?;
    let now = (services.clock)();
    let (credentials, request) = DeviceAuthorizationRequest::parse(raw.authorization()?, &body)?;
    let client = authenticate_or_identify(services, tenant, credentials, raw, now).await?;
    let grantee = Grantee { tenant, client: client.client() };
    let granted = request.check(&grantee)?;
    // A code of a second whose codes are revoked would be invalid.
    let now = services.engine.first_second_of_codes(&grantee, now).await?;
    // People type it, so the default tenant has a short one.
    let verification_uri = match raw.tenant() {
        Some(_) => format!("{}/api/v1/tenant/{}/device", public_url.0, tenant.id),
        None => format!("{}/device", public_url.0),
    };
    let (source, client) = (raw.source(), client.client());
    let begun = services.devices.begin(client, granted, &source, verification_uri, now).await?;
    begun.ok_or_else(|| {
        let description = "Too many device codes of this client wait for a person";
        let body = ErrorResponse::new(ErrorCode::SlowDown, RefusalReason::TooManyDeviceCodes, description);
        // RFC 6585 §4.
        OAuthError { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(WAIT), ..body.into() }
    })
}
