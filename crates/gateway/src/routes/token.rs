//! `POST …/oauth/token`: the token endpoint (RFC 6749 §3.2). The handler is the request's way and nothing else.

use actix_web::HttpResponse;
use actix_web::web::Data;
use grants::TokenRequest;
use protocol::{TokenResponse, TokenType};
use tenancy::Tenant;

use crate::Services;
use crate::client_authentication::{authenticate, authenticate_or_identify};
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, secret_document};
use crate::sender;

pub(crate) async fn token(services: Data<Services>, mut raw: RawRequest) -> Result<HttpResponse, OAuthError> {
    let tenant = services.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let issued = issue(&services, &tenant, &mut raw).await;
    let issued = issued.map_err(|refusal| refusal.in_realm(tenant.issuer.as_str()))?;
    let mut response = secret_document(issued.to_json().map_err(|error| OAuthError::fault(&error))?);
    sender::supply_nonce(&services, &tenant, &raw, &mut response);
    Ok(response)
}

async fn issue(
    services: &Services,
    tenant: &Tenant,
    raw: &mut RawRequest,
) -> Result<TokenResponse, OAuthError> {
    let body = raw.form().await?;
    let now = (services.clock)();
    let (credentials, request) = TokenRequest::parse(raw.authorization()?, &body)?;
    let certificate = raw.client_certificate(now)?;
    let proof = sender::read_proof(services, tenant, raw, None, now)?;
    // RFC 6749 §3.2.1: "Confidential clients or other clients issued client credentials MUST authenticate with the authorization server". §4.4.2
    // asks the same of client_credentials, for which nobody is merely identified.
    let client = if request.is_for_public_clients() {
        Box::pin(authenticate_or_identify(services, tenant, credentials, raw, now)).await?
    } else {
        authenticate(services, tenant, credentials, raw, now).await?
    };
    let sender = sender::prove(services, tenant, raw, &client, proof, certificate, now).await?;
    let issued = services.engine.issue(tenant, &client, &request, &sender.keys, now).await?;
    sender.use_up(services, tenant, raw, now).await?;
    raw.log(|fields| {
        fields.signed = Some(issued.algorithm);
        fields.is_dpop_bound = issued.value.token_type == TokenType::DPoP;
    });
    Ok(issued.value)
}
