//! `POST …/oauth/par`: a client pushes an authorization request, and sends the browser with a reference to it (RFC 9126).

use actix_web::HttpResponse;
use actix_web::web::Data;
use grants::{PushedRequest, check_address, check_client};
use protocol::{
    AuthorizationAddress, AuthorizationError, AuthorizationRequest, ClientAuthentication, ErrorCode,
    ErrorResponse, Form, PushedResponse, RefusalReason, RequestSource,
};
use tenancy::Tenant;

use super::authorization::check;
use super::request_source::elsewhere;
use crate::Services;
use crate::client_authentication::authenticate_or_identify;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, created_secret_json};

pub(crate) async fn push(services: Data<Services>, mut raw: RawRequest) -> Result<HttpResponse, OAuthError> {
    let tenant = services.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let pushed = keep(&services, &tenant, &mut raw).await;
    let pushed = pushed.map_err(|refusal| refusal.in_realm(tenant.issuer.as_str()))?;
    created_secret_json(&pushed)
}

/// Checks the request as the authorization endpoint would, and keeps it.
async fn keep(
    services: &Services,
    tenant: &Tenant,
    raw: &mut RawRequest,
) -> Result<PushedResponse, OAuthError> {
    let body = raw.form().await?;
    let now = (services.clock)();
    let mut form = Form::parse(&body)?;
    let credentials = ClientAuthentication::take(raw.authorization()?, &mut form)?;
    let source = RequestSource::take(&mut form).map_err(ErrorResponse::from)?;
    let parameters = form.rest();
    let certificate = raw.client_certificate(now)?;
    let credentials = credentials.beside(certificate.as_ref());
    let client = authenticate_or_identify(services, tenant, credentials, raw, now).await?;
    let client = check_client(Some(client.client().clone())).map_err(|_| not_registered())?;
    let parameters = match source {
        RequestSource::Parameters => parameters,
        // RFC 9126 §2.1: a push has no reference to another one.
        RequestSource::Pushed(_) | RequestSource::Elsewhere => return Err(refused(elsewhere())),
        RequestSource::Object(object) => {
            let opened = services.authenticator.open_request_object(tenant, &client, &object, now).await;
            opened.map_err(|error| refused(error.into()))?
        }
    };
    let mut form = Form::parse(parameters.as_bytes())?;
    form.take("client_id")?;
    let address = AuthorizationAddress::take(&mut form).map_err(refused)?;
    check_address(&client, &address).map_err(|_| {
        let description = "The redirect_uri is not registered for this client";
        ErrorResponse::invalid_request(RefusalReason::RedirectUriNotRegistered, description)
    })?;
    let (_, request) = AuthorizationRequest::take(form);
    check(services, (tenant, &client), request.map_err(refused)?, true, now).await?.map_err(refused)?;
    let reference = services.authorizations.push(&client, parameters, now).await?;
    Ok(PushedResponse::new(reference.expose(), PushedRequest::expires_in()))
}

fn refused(error: AuthorizationError) -> OAuthError {
    ErrorResponse::from(error).into()
}

fn not_registered() -> ErrorResponse {
    let description = "The client is not authorized to use this grant type";
    ErrorResponse::new(ErrorCode::UnauthorizedClient, RefusalReason::GrantNotRegistered, description)
}
