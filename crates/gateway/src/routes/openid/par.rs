//! `POST …/oauth/par`: a client pushes an authorization request, and passes a reference to the
//! browser (RFC 9126).

use actix_web::web::Data;
use grants::{PushedRequest, check_address, check_client};
use protocol::{
    AuthorizationAddress, AuthorizationError, AuthorizationRequest, ClientAuthentication, ErrorCode,
    ErrorResponse, Form, PushedResponse, RefusalReason, RequestSource, Thumbprint,
};
use registry::Purpose;

use super::authorization::check;
use super::request_source::not_used;

use crate::Services;
use crate::request::{RawRequest, TenantRequest, serve_form};
use crate::respond::{OAuthError, OAuthResult, created_secret_json};

pub(crate) async fn push(services: Data<Services>, mut raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    serve_form(&services, &tenant, &mut raw, keep).await
}

/// Makes the checks of the authorization endpoint, and stores the request.
async fn keep(pushed: TenantRequest<'_>, body: &[u8]) -> OAuthResult {
    let TenantRequest { services, tenant, raw, now } = pushed;
    let mut form = Form::parse(body)?;
    let credentials = ClientAuthentication::take(raw.authorization()?, &mut form)?;
    let source = RequestSource::take(&mut form).map_err(ErrorResponse::from)?;
    let parameters = form.rest();
    let proof = pushed.read_proof(None)?;
    let authenticated = pushed.authenticate(credentials, Purpose::Identify).await?;
    let client = check_client(Some(authenticated.client().clone())).map_err(|_| not_registered())?;
    let sender = pushed.prove(&authenticated, proof, None).await?;
    let (parameters, object) = match source {
        RequestSource::Parameters => (parameters, None),
        // RFC 9126 §2.1: "The request_uri authorization request parameter is one exception, and
        // it MUST NOT be provided."
        RequestSource::Pushed(_) | RequestSource::Elsewhere => {
            let description = "A pushed request must not contain a request_uri";
            return Err(refused(AuthorizationError::invalid_request(description)));
        }
        RequestSource::Object(object) => {
            let opened =
                services.tokens.authenticator.open_request_object(tenant, &client, &object, now).await;
            let opened = opened.map_err(|error| refused(error.into()))?;
            (opened.parameters, opened.identifier)
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
    let request = request.map_err(refused)?;
    let key = (request.dpop_jkt, sender.keys.dpop);
    check(services, tenant, &client, request, true, now).await?.map_err(refused)?;
    let parameters = bound(parameters, key).map_err(refused)?;
    // People cannot reload a push, so the object can be used only once.
    if let Some(object) = object {
        let used = services.tokens.authenticator.use_up_request_object(&client, &object, None, now).await;
        used.map_err(|error| not_used(error, refused))?;
    }
    let reference = services.authorizations.push(&client, &parameters, &raw.source(), now).await?;
    // Anyone can push in the name of a public client. The number of waiting requests is limited.
    pushed.use_up_rest(sender).await?;
    let answer = PushedResponse::new(reference.expose(), PushedRequest::expires_in());
    let mut response = created_secret_json(&answer)?;
    pushed.supply_nonce(&mut response);
    Ok(response)
}

/// Adds `dpop_jkt` from the proof. RFC 9449 §10.1: a proof with a pushed request is equivalent to
/// `dpop_jkt`, and "the authorization server MUST reject the request if the JWK Thumbprint in
/// dpop_jkt does not match the public key in the DPoP header."
fn bound(
    parameters: String,
    key: (Option<Thumbprint>, Option<Thumbprint>),
) -> Result<String, AuthorizationError> {
    match key {
        (Some(named), Some(proven)) if named != proven => {
            Err(AuthorizationError::invalid_request("The dpop_jkt does not match the key of the DPoP proof"))
        }
        // Base64url needs no encoding.
        (None, Some(proven)) => Ok(format!("{parameters}&dpop_jkt={proven}")),
        _ => Ok(parameters),
    }
}

fn refused(error: AuthorizationError) -> OAuthError {
    ErrorResponse::from(error).into()
}

fn not_registered() -> ErrorResponse {
    let description = "The client is not authorized to use this grant type";
    ErrorResponse::new(ErrorCode::UnauthorizedClient, RefusalReason::GrantNotRegistered, description)
}
