//! Explains a token request: each check of the token endpoint, with the same functions in the same order, and what the caller would see.
//! It goes on after a refusal where later checks do not depend on it. It signs nothing and writes nothing.

mod access_token;
mod advice;
mod certificate;
mod check;
mod credential;
mod proof;
mod token;

use std::sync::Arc;

use administration::{ExplainSettings, ExplainedCredential, ExplainedResult, ExplanationView};
use grants::{Explanation, Grantee};
use protocol::{Credential, Secret, Thumbprint, Timestamp};
use registry::{ClientId, DpopRequest, SenderKeys};
use secrets::ClientAddress;
use tenancy::{Tenant, TenantError, TenantId};

use crate::respond::{OAuthError, Problem, error_help};
use crate::{PresentedCertificates, TokenServices};
use access_token::Beside;
use advice::Subject;
use check::{Refusal, not_checked, passed, refused};
use credential::Presented;
use proof::ExplainedProof;

/// A request that an administrator wants explained.
pub(crate) struct Request<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) client: &'a ClientId,
    pub(crate) settings: &'a ExplainSettings,
    pub(crate) secret: Option<Secret>,
    pub(crate) assertion: Option<Secret>,
    pub(crate) dpop_proof: Option<Secret>,
    pub(crate) access_token: Option<Secret>,
    /// The source by which a failed attempt is counted: the administrator's.
    pub(crate) source: ClientAddress,
    pub(crate) now: Timestamp,
    pub(crate) public_url: &'a str,
}

/// The explanation. The refusals come in the order of the token endpoint, whose answer is the first.
///
/// # Errors
/// 429 where too many secrets were wrong, and what keeps the server from answering.
pub(crate) async fn explain(
    services: &TokenServices,
    request: Request<'_>,
) -> Result<ExplanationView, Problem> {
    let Request {
        tenant: tenant_id,
        client: client_id,
        settings,
        secret,
        assertion,
        dpop_proof,
        access_token,
        source,
        now,
        public_url,
    } = request;
    let subject = Subject { tenant: tenant_id, client: client_id };
    let (tenant, not_serving) = find_tenant(services, tenant_id).await?;
    let mut checks = vec![match &not_serving {
        Some(error) => refused(&subject, "tenant", error.refused.reason),
        None => passed("tenant", "The tenant is active and serves OAuth."),
    }];
    let mut refusals: Vec<Refusal> =
        not_serving.map(|error| Refusal::by("tenant", error)).into_iter().collect();
    let Some(tenant) = tenant else {
        checks.push(not_checked("parameters", "The tenant is unknown."));
        let (method, registered) = (settings.method().to_owned(), Vec::new());
        let credential = ExplainedCredential { method, matched: None, checks: Vec::new(), registered };
        let result = result(refusals.into_iter().next(), public_url);
        let (scopes, dpop_proof, access_token) = Default::default();
        return Ok(ExplanationView {
            result,
            checks,
            credential,
            scopes,
            token: None,
            dpop_proof,
            access_token,
        });
    };

    let client = services.authenticator.find(&tenant.id, client_id).await?;
    let parameters = parameters(settings, client_id);
    let proof = match &dpop_proof {
        Some(proof) => {
            let token_endpoint = format!("/api/v1/tenant/{}/oauth/token", tenant.id);
            let request = DpopRequest {
                method: settings.dpop_method.as_deref().unwrap_or("POST"),
                path: settings.dpop_path().unwrap_or(&token_endpoint),
                access_token: access_token.as_ref().map(Secret::expose),
            };
            Some(proof::explain(services, &tenant, proof, &request, public_url, now).await?)
        }
        None => None,
    };
    let access_token_checks = match &access_token {
        Some(token) => {
            let read = |pem: &String| PresentedCertificates::read(pem.as_bytes()).ok();
            let presented = settings.client_certificate.as_ref().and_then(read);
            let certificate = presented.map(|presented| presented.without_authorities(now).thumbprint);
            let beside = Beside { proof: proof.as_ref(), certificate };
            access_token::explain(services, (&tenant, client_id), token, beside, now).await?
        }
        None => Vec::new(),
    };
    // Beside an access token, the proof is of a request to a resource.
    let of_token_request = proof.as_ref().filter(|_| access_token.is_none());
    let (before, after) = match of_token_request.and_then(ExplainedProof::refusal) {
        Some((refusal, true)) => (Some(refusal), None),
        Some((refusal, false)) => (None, Some(refusal)),
        None => (None, None),
    };
    let presented = Presented { settings, secret, assertion, source: &source };
    let authentication =
        credential::explain(services, (&tenant, client.as_ref()), presented, &subject, now).await?;
    let (mut scopes, mut token) = (Vec::new(), None);
    if let Some(client) = &client {
        let grantee = Grantee { tenant: &tenant, client };
        let explained = Explanation::of(
            &parameters,
            &grantee,
            &sender_keys(&grantee, settings.method(), of_token_request),
            now,
        );
        checks.push(match &explained.parameters {
            Ok(()) => passed("parameters", "The parameters can be read."),
            Err(error) => refused(&subject, "parameters", error.reason),
        });
        refusals.extend(explained.parameters.clone().err().map(|error| Refusal::by("parameters", error)));
        refusals.extend(before.into_iter().chain(authentication.refusal).chain(after));
        let granted = token::explain(&explained, of_token_request, settings, &subject);
        checks.extend(granted.checks);
        scopes = granted.scopes;
        if let (Some(Err(error)), Some(check)) = (&explained.decision, granted.refused_by) {
            refusals.push(Refusal::by(check, error.clone()));
        }
        if let Some(Ok(claims)) = &explained.decision {
            let key = services.engine.existing_signing_key(&tenant, now).await;
            checks.push(token::key_check(&tenant, &key, &subject));
            match key {
                Ok(key) => token = Some(token::view(&tenant, claims, key.as_deref())),
                Err(error) => refusals.push(Refusal::by("signing_key", error)),
            }
        }
    } else {
        checks.push(not_checked("parameters", "This server does not know the client yet."));
        refusals.extend(before.into_iter().chain(authentication.refusal).chain(after));
    }
    let (dpop_proof, access_token) =
        (proof.map(|proof| proof.checks).unwrap_or_default(), access_token_checks);
    let (credential, result) = (authentication.credential, result(refusals.into_iter().next(), public_url));
    Ok(ExplanationView { result, checks, credential, scopes, token, dpop_proof, access_token })
}

/// The tenant, if there is one, and why it does not serve.
async fn find_tenant(
    services: &TokenServices,
    id: &TenantId,
) -> Result<(Option<Arc<Tenant>>, Option<OAuthError>), Problem> {
    Ok(match services.tenants.resolve_authorization_server(id.as_str()).await {
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

/// The key of the proof. Where none is presented, a right one is assumed if one is required, as a right secret is; and where one is refused,
/// so that the other checks go on.
fn sender_keys(grantee: &Grantee<'_>, method: &str, proof: Option<&ExplainedProof>) -> SenderKeys {
    let Grantee { tenant, client } = grantee;
    let is_required = client.dpop_bound_access_tokens || tenant.access_token.require_sender_constraint;
    let any = Thumbprint::new([0; 32]);
    let certificate = (ExplainSettings::credential(method) == Some(Credential::Certificate)).then_some(any);
    let assumed = (is_required || proof.is_some()).then_some(any);
    SenderKeys { dpop: proof.and_then(|proof| proof.key).or(assumed), certificate }
}

/// The form that the request would send, without its credential.
fn parameters<'a>(settings: &'a ExplainSettings, client: &'a ClientId) -> Vec<(&'a str, &'a str)> {
    let optional = [("scope", &settings.scope), ("audience", &settings.audience)];
    let grant_type = settings.grant_type.as_deref().unwrap_or("client_credentials");
    let mut parameters = vec![("grant_type", grant_type), ("client_id", client.as_str())];
    parameters.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    parameters.extend(settings.resource.iter().map(|value| ("resource", value.as_str())));
    parameters
}

fn result(refusal: Option<Refusal>, public_url: &str) -> ExplainedResult {
    let Some(Refusal { check, error, reason }) = refusal else {
        let (error, error_description, reason, check, help) = Default::default();
        return ExplainedResult { status: 200, error, error_description, reason, check, help };
    };
    let body = error.body.response();
    ExplainedResult {
        status: error.status.as_u16(),
        error: body.map(|body| body.error.as_str().to_owned()),
        error_description: body.map(|body| body.error_description.clone().into_owned()),
        reason: reason.map(|reason| reason.as_str().to_owned()),
        check: Some(check.to_owned()),
        help: body.map(|body| error_help(public_url, body.error.as_str())),
    }
}
