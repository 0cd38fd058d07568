//! Explains a token request: each check of the token endpoint, with the same functions in the same order, and what the caller would see.
//! It goes on after a refusal where later checks do not depend on it. It signs nothing and writes nothing.

mod advice;
mod certificate;
mod check;
mod credential;
mod token;

use std::sync::Arc;

use administration::{ExplainSettings, ExplainedCredential, ExplainedResult, ExplanationView};
use grants::{Explanation, Grantee, SenderKeys};
use protocol::{Secret, Thumbprint, Timestamp};
use registry::ClientId;
use secrets::ClientAddress;
use tenancy::{Tenant, TenantError, TenantId};

use crate::TokenServices;
use crate::respond::{OAuthError, Problem, error_help};
use advice::Subject;
use check::{Refusal, not_checked, passed, refused};
use credential::Presented;

/// A request that an administrator wants explained.
pub(crate) struct Request<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) client: &'a ClientId,
    pub(crate) settings: &'a ExplainSettings,
    pub(crate) secret: Option<Secret>,
    pub(crate) assertion: Option<Secret>,
    /// In PEM.
    pub(crate) certificate: Option<String>,
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
        certificate,
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
        return Ok(ExplanationView { result, checks, credential, scopes: Vec::new(), token: None });
    };

    let client = services.authenticator.find(&tenant.id, client_id).await?;
    let parameters = parameters(settings, client_id);
    let presented = Presented { method: settings.method(), secret, assertion, certificate, source: &source };
    let authentication =
        credential::explain(services, (&tenant, client.as_ref()), presented, &subject, now).await?;
    let (mut scopes, mut token) = (Vec::new(), None);
    if let Some(client) = &client {
        let grantee = Grantee { tenant: &tenant, client };
        let explained =
            Explanation::of(&parameters, &grantee, &assumed_keys(&grantee, settings.method()), now);
        checks.push(match &explained.parameters {
            Ok(()) => passed("parameters", "The parameters can be read."),
            Err(error) => refused(&subject, "parameters", error.reason),
        });
        refusals.extend(explained.parameters.clone().err().map(|error| Refusal::by("parameters", error)));
        refusals.extend(authentication.refusal);
        let granted = token::explain(&explained, settings, &subject);
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
        refusals.extend(authentication.refusal);
    }
    let (credential, result) = (authentication.credential, result(refusals.into_iter().next(), public_url));
    Ok(ExplanationView { result, checks, credential, scopes, token })
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

/// No proof is presented here, so a DPoP proof is assumed where one is required, as a right secret is.
fn assumed_keys(grantee: &Grantee<'_>, method: &str) -> SenderKeys {
    let Grantee { tenant, client } = grantee;
    let is_required = client.dpop_bound_access_tokens || tenant.access_token.require_sender_constraint;
    let any = Thumbprint::new([0; 32]);
    let certificate = credential::is_of_certificates(method).then_some(any);
    SenderKeys { dpop: is_required.then_some(any), certificate }
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
