//! `POST …/oauth/token`: the token endpoint (RFC 6749 §3.2). The handler is a list of the steps.

use actix_web::web::Data;
use administration::audit::usage::Counter;
use grants::{GroupsLeftOut, TokenRequest};
use protocol::TokenType;
use registry::Purpose;
use tenancy::Tenant;

use crate::Services;
use crate::request::{RawRequest, TenantRequest, serve_form};
use crate::respond::{OAuthError, OAuthResult, secret_document};

pub(crate) async fn token(services: Data<Services>, mut raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    serve_form(&services, &tenant, &mut raw, issue).await
}

async fn issue(request: TenantRequest<'_>, body: &[u8]) -> OAuthResult {
    let TenantRequest { services, tenant, raw, now } = request;
    let (credentials, requested) = TokenRequest::parse(raw.authorization()?, body)?;
    let certificate = raw.client_certificate(now)?;
    let proof = request.read_proof(None)?;
    // RFC 6749 §3.2.1: "Confidential clients or other clients issued client credentials MUST
    // authenticate with the authorization server". §4.4.2 requires authentication also for
    // client_credentials, so `client_id` alone is not enough there.
    let purpose = if requested.is_for_public_clients() { Purpose::Identify } else { Purpose::Exchange };
    let client = request.authenticate(credentials, purpose).await?;
    let sender = request.prove(&client, proof, certificate).await?;
    let issued =
        services.tokens.engine.issue(tenant, &client, &requested, &sender.keys, now, raw.address()).await?;
    request.use_up_rest(sender).await?;
    log_groups_left_out(tenant, client.client().id.as_str(), issued.groups_left_out);
    if requested.names_scope() {
        services.usage.note_scopes(&tenant.id, &client.client().id, issued.value.scope.as_deref(), now);
    }
    raw.log(|fields| {
        let is_of_key = client.proof().api_key().is_some();
        fields.happened = Some(if is_of_key { Counter::ApiKeyExchanged } else { Counter::Issued });
        fields.signed = issued.algorithm;
        fields.is_dpop_bound = issued.value.token_type == TokenType::DPoP;
    });
    let mut response = secret_document(issued.value.to_json().map_err(|error| OAuthError::fault(&error))?);
    request.supply_nonce(&mut response);
    Ok(response)
}

/// The client cannot see that a claim is left out. Group names can be secret, so only the reason is logged.
pub(super) fn log_groups_left_out(tenant: &Tenant, client: &str, left_out: Option<GroupsLeftOut>) {
    if let Some(why) = left_out {
        tracing::warn!(tenant = %tenant.id, client, "left out the claim with the person's groups: {why}");
    }
}
