//! Explains a token request: runs each check of the token endpoint, with the same functions in the
//! same order, and returns the response that the caller would get. After a refusal it continues
//! with the checks that do not depend on the refused one. It signs and writes nothing.

mod access_token;
mod advice;
mod certificate;
mod check;
mod credential;
mod proof;
mod request;
mod token;

use std::sync::Arc;

use crate::respond::{OAuthError, Problem, error_help};
use administration::documents;
use administration::documents::{ExplainedResult, ExplanationView};
use check::{EndpointRefusal, not_checked, passed};
use grants::{Explanation, Grantee};
use proof::ExplainedProof;
use protocol::{Credential, Thumbprint};
use registry::{ClientId, SenderKeys};
use tenancy::{Tenant, TenantError};

pub(crate) use advice::advice_on;
pub(crate) use request::{ExplainedRequest, PresentedParts};

/// The first refusal is the response of the token endpoint.
///
/// # Errors 429 after too many wrong secrets, and failures of the server.
pub(crate) async fn explain(
    request: &ExplainedRequest<'_>,
    presented: PresentedParts,
) -> Result<ExplanationView, Problem> {
    let ExplainedRequest { services, client: client_id, settings, now, .. } = *request;
    let (tenant, not_serving) = find_tenant(request).await?;
    let mut checks = vec![match &not_serving {
        Some(error) => request.refused("tenant", error.refused.reason),
        None => passed("tenant", "The tenant is active and OAuth is enabled."),
    }];
    let mut refusals: Vec<_> =
        not_serving.map(|error| EndpointRefusal::by("tenant", error)).into_iter().collect();
    let Some(tenant) = tenant else {
        return Ok(of_unknown_tenant(request, checks, refusals));
    };

    let client = services.authenticator.find(&tenant.id, client_id).await?;
    let proof = proof::explain(request, &tenant, &presented).await?;
    let access_token = access_token::explain(request, &tenant, &presented, proof.as_ref()).await?;
    // If an access token is presented, the proof belongs to a request to a resource.
    let of_token_request = proof.as_ref().filter(|_| presented.access_token.is_none());
    let credential::Explained { view: credential, refusal: by_credential, api_key, copied } =
        credential::explain(request, &tenant, client.as_ref(), presented).await?;
    // An expired or revoked API key also limits the grant, because a replacement key will have the
    // same limits.
    let narrowed = api_key.as_ref().zip(client.as_ref()).and_then(|(key, client)| key.narrowed(client));
    let request = &ExplainedRequest { is_by_key: narrowed.is_some(), ..*request };
    let live_key = api_key.as_deref().filter(|_| by_credential.is_none());
    let grantee = narrowed.as_ref().or(client.as_deref()).map(|client| Grantee { tenant: &tenant, client });
    let parameters = parameters(settings, client_id);
    let explained = grantee.as_ref().map(|grantee| {
        let sender = sender_keys(grantee, settings.method(), of_token_request);
        Explanation::new(&parameters, grantee, live_key, &sender, now)
    });
    checks.push(match explained.as_ref().map(|explained| &explained.parameters) {
        None => not_checked("parameters", "This server does not know the client yet."),
        Some(Ok(())) => passed("parameters", "The parameters are valid."),
        Some(Err(error)) => {
            refusals.push(EndpointRefusal::by("parameters", error.clone()));
            request.refused("parameters", error.reason)
        }
    });
    let by_proof = |is_before| of_token_request.and_then(|proof| proof.refusal(is_before));
    refusals.extend([by_proof(true), by_credential, by_proof(false)].into_iter().flatten());
    let (mut scopes, mut token) = (Vec::new(), None);
    if let Some(explained) = &explained {
        let (of_grant, each) = token::explain(request, explained, of_token_request);
        scopes = each;
        if let Some(Err(error)) = &explained.decision {
            let check = of_grant.iter().find(|check| check.result == "refused");
            refusals.extend(check.map(|check| EndpointRefusal::by(check.name.as_str(), error.clone())));
        }
        checks.extend(of_grant);
        if let Some(Ok(claims)) = &explained.decision {
            let wanted = grantee
                .as_ref()
                .map_or(tenant.signing.algorithm.into(), |grantee| grantee.token_algorithm(&claims.aud));
            let key = services.engine.existing_key(&tenant, wanted, now).await;
            checks.push(token::key_check(request, wanted, &key));
            match key {
                Ok(key) => {
                    let statics =
                        grantee.as_ref().map(|grantee| grantee.static_claims().with(&copied).into_owned());
                    token =
                        Some(token::view(statics.unwrap_or_default(), &tenant, claims, wanted, key.as_ref()));
                }
                Err(error) => refusals.push(EndpointRefusal::by("signing_key", error)),
            }
        }
    }
    let dpop_proof = proof.map(|proof| proof.checks).unwrap_or_default();
    let result = result(refusals, request.public_url);
    Ok(ExplanationView { result, checks, credential, scopes, token, dpop_proof, access_token })
}

/// The explanation for an unknown tenant, which ends here.
fn of_unknown_tenant(
    request: &ExplainedRequest<'_>,
    mut checks: Vec<documents::ExplainedCheck>,
    refusals: Vec<EndpointRefusal>,
) -> ExplanationView {
    checks.push(not_checked("parameters", "The tenant is unknown."));
    let method = request.settings.method().to_owned();
    let credential = documents::ExplainedCredential { method, ..documents::ExplainedCredential::default() };
    let result = result(refusals, request.public_url);
    ExplanationView { result, checks, credential, ..ExplanationView::default() }
}

/// Returns the tenant if it exists, and the error if it is suspended.
async fn find_tenant(
    ExplainedRequest { services, tenant, .. }: &ExplainedRequest<'_>,
) -> Result<(Option<Arc<Tenant>>, Option<OAuthError>), Problem> {
    Ok(match services.tenants.resolve_authorization_server(tenant.as_str()).await {
        Ok(tenant) => (Some(tenant), None),
        Err(TenantError::Store(error)) => return Err(error.into()),
        Err(error) => {
            let tenant = match &error {
                TenantError::Suspended(tenant) | TenantError::StrategyNotEnabled(tenant) => Some(tenant),
                TenantError::Unknown | TenantError::Store(_) => None,
            };
            (tenant.cloned(), Some(error.into()))
        }
    })
}

/// The key of the proof. If no proof is presented and one is required, or if the proof is refused,
/// a valid proof is assumed, so that the other checks can run.
fn sender_keys(grantee: &Grantee<'_>, method: &str, proof: Option<&ExplainedProof>) -> SenderKeys {
    let Grantee { tenant, client } = grantee;
    let is_required = client.dpop_bound_access_tokens || tenant.access_token.require_sender_constraint;
    let any = Thumbprint::new([0; 32]);
    let certificate =
        (documents::ExplainSettings::credential(method) == Some(Credential::Certificate)).then_some(any);
    let assumed = (is_required || proof.is_some()).then_some(any);
    SenderKeys { dpop: proof.and_then(|proof| proof.key).or(assumed), certificate }
}

/// The form parameters of the request, without its credential.
fn parameters<'a>(settings: &'a documents::ExplainSettings, client: &'a ClientId) -> Vec<(&'a str, &'a str)> {
    let grant_type = settings.grant_type.as_deref().unwrap_or("client_credentials");
    let mut parameters = vec![("grant_type", grant_type), ("client_id", client.as_str())];
    parameters.extend(settings.scope.iter().map(|value| ("scope", value.as_str())));
    parameters.extend(settings.resource.iter().map(|value| ("resource", value.as_str())));
    parameters.extend(settings.audience.iter().map(|value| ("audience", value.as_str())));
    parameters
}

/// The response of the token endpoint: the first refusal, or success.
fn result(refusals: Vec<EndpointRefusal>, public_url: &str) -> ExplainedResult {
    let Some(EndpointRefusal { check, error, reason }) = refusals.into_iter().next() else {
        return ExplainedResult { status: 200, ..ExplainedResult::default() };
    };
    let body = error.body.response();
    ExplainedResult {
        status: error.status.as_u16(),
        error: body.map(|body| body.error.as_str().to_owned()),
        error_description: body.map(|body| body.error_description.clone().into_owned()),
        reason: reason.map(|reason| reason.as_str().to_owned()),
        check: Some(check),
        help: body.map(|body| error_help(public_url, body.error.as_str())),
    }
}
