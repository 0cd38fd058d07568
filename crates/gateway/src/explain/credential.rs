//! Explains the client authentication of a request. The authenticator of the token endpoint hashes,
//! compares and throttles a presented secret like any other attempt, but does not record its use.

use std::sync::Arc;
use values::with_commands;

use administration::documents;
use administration::documents::ExplainedCheck;
use protocol::{
    AssertionKind, ClientAuthentication, Credential, IdAndSecret, PresentedAssertion, RefusalReason,
    StaticClaims,
};
use registry::methods::{
    CLIENT_SUSPENDED, CREDENTIAL_MISSING, METHOD_NOT_REGISTERED, UNKNOWN_CLIENT, api_key,
    secret as secret_reasons,
};
use registry::{
    ApiKey, ApiKeyId, AssertionCheck, CertificateCheck, CertificateMethod, Client, ClientAuthenticationError,
    Proof, TrustRule, may_authenticate,
};
use tenancy::Tenant;

use super::certificate::JudgedCertificate;
use super::check::{EndpointRefusal, not_checked, passed};
use super::request::{ExplainedRequest, PresentedParts};
use crate::respond::{OAuthError, Problem};

pub(super) struct Explained {
    pub(super) view: documents::ExplainedCredential,
    pub(super) refusal: Option<EndpointRefusal>,
    /// The presented API key, even if it has expired or was revoked.
    pub(super) api_key: Option<Arc<ApiKey>>,
    /// The claims that tokens copy from the presented assertion.
    pub(super) copied: StaticClaims,
}

/// The client need not exist.
///
/// # Errors 429 after too many wrong secrets, and failures of the server.
pub(super) async fn explain(
    request: &ExplainedRequest<'_>,
    tenant: &Tenant,
    client: Option<&Arc<Client>>,
    presented: PresentedParts,
) -> Result<Explained, Problem> {
    let ExplainedRequest { services, settings, now, .. } = *request;
    let method = settings.method();
    let secrets = client.into_iter().flat_map(|client| &client.secrets);
    let keys = client.and_then(|client| client.keys.as_ref()).into_iter().flat_map(|keys| keys.keys().iter());
    let keys = keys.map(|(kid, algorithm)| documents::RegisteredCredential::of_key(kid, algorithm));
    let registered =
        secrets.map(|secret| documents::RegisteredCredential::new(secret, now)).chain(keys).collect();
    let kind = documents::ExplainSettings::credential(method);
    let key_id = presented.secret.as_ref().and_then(|secret| ApiKeyId::of_key(secret.expose()));
    let name = if key_id.is_some() { "api_key" } else { kind.map_or("secret", Credential::as_str) };
    let certificate = settings.client_certificate.as_ref();
    let judged = certificate.map(|pem| {
        JudgedCertificate::new(pem, &services.certificate_sources, tenant.client_ca.as_deref(), now)
    });
    let credentials = credentials(request, presented, judged.as_ref());
    let mut checks = vec![client_check(request, client), method_check(request, client, kind)];
    let verdict = match (kind, credentials, may_authenticate(client.cloned(), kind)) {
        (None, ..) => {
            let check = not_checked(name, "The request contains no secret.");
            let error = ClientAuthenticationError::refused(CREDENTIAL_MISSING, None);
            CredentialVerdict::of_checks(vec![check], Some(refusal(&error, name)))
        }
        (_, None, Err(error)) => {
            let check = not_checked(name, format!("No {name} was presented."));
            CredentialVerdict::of_checks(vec![check], Some(refusal(&error, name)))
        }
        (Some(kind), None, Ok(client)) => {
            let (check, refusal) = assumed(request, client, kind);
            CredentialVerdict::of_checks(vec![check], refusal)
        }
        (_, Some(credentials), may) => {
            let proof = services.authenticator.explain(tenant, credentials, &request.source, now).await;
            let proof = proof.map_or_else(|error| refusal_of(error).map(Err), |proof| Ok(Ok(proof)))?;
            let presented = (name, key_id.as_ref(), judged.as_ref());
            CredentialVerdict::of_proof(request, client, may.ok(), proof, presented)
        }
    };
    checks.extend(verdict.checks);
    let CredentialVerdict { matched, refusal, api_key, copied, .. } = verdict;
    let view = documents::ExplainedCredential { method: method.to_owned(), matched, checks, registered };
    Ok(Explained { view, refusal, api_key, copied })
}

#[derive(Default)]
struct CredentialVerdict {
    checks: Vec<ExplainedCheck>,
    refusal: Option<EndpointRefusal>,
    matched: Option<String>,
    api_key: Option<Arc<ApiKey>>,
    copied: StaticClaims,
}

impl CredentialVerdict {
    fn of_checks(checks: Vec<ExplainedCheck>, refusal: Option<EndpointRefusal>) -> Self {
        Self { checks, refusal, ..Self::default() }
    }

    /// The result for a credential that the authenticator has checked. `name` is the name of the
    /// check. `may` is the client, if it may use this method.
    fn of_proof(
        request: &ExplainedRequest<'_>,
        client: Option<&Arc<Client>>,
        may: Option<Arc<Client>>,
        proof: Result<Proof, ClientAuthenticationError>,
        (name, key_id, judged): (&str, Option<&ApiKeyId>, Option<&JudgedCertificate>),
    ) -> Self {
        let checks = match (&may, &proof) {
            // A key is checked before its client.
            (None, Err(error)) if key_id.is_some() && check_of(error, name) == name => {
                vec![credential_refused(request, client, error, name, key_id)]
            }
            (None, _) => vec![not_checked(name, "Clients with this method present no credential to check.")],
            (Some(client), proof) if let Some(judged) = judged => {
                let verdict = proof.as_ref().map_err(ClientAuthenticationError::reason);
                judged.checks(request, client, verdict)
            }
            (Some(_), Ok(proof)) => vec![proven(proof)],
            (Some(_), Err(error)) => vec![credential_refused(request, client, error, name, key_id)],
        };
        let (mut matched, mut api_key, mut copied) = (None, None, StaticClaims::default());
        match &proof {
            Ok(Proof::Secret(id)) => matched = Some(id.to_string()),
            Ok(Proof::ApiKey(key)) => (matched, api_key) = (Some(key.id.to_string()), Some(Arc::clone(key))),
            Err(ClientAuthenticationError::Refused { ended: Some(Proof::ApiKey(key)), .. }) => {
                api_key = Some(Arc::clone(key));
            }
            Ok(Proof::Federated(proof)) => copied.clone_from(&proof.copied),
            Ok(_) | Err(_) => {}
        }
        let api_key = api_key.filter(|key| key.client == *request.client);
        let refusal = proof.err().map(|error| {
            let check = judged.map_or(name, |judged| judged.check_of(&error));
            refusal(&error, check)
        });
        Self { checks, refusal, matched, api_key, copied }
    }
}

fn proven(proof: &Proof) -> ExplainedCheck {
    match proof {
        Proof::Secret(id) => passed("secret", format!("The secret is the client's secret {id}.")),
        Proof::ApiKey(key) => {
            let end = key.expires_at.to_rfc3339();
            passed("api_key", format!("The API key is the client's key {}, which expires at {end}.", key.id))
        }
        Proof::Assertion => {
            let detail = "A key of the client signed it. This check does not look for earlier use.";
            passed("assertion", detail)
        }
        Proof::Federated(proof) => {
            let TrustRule { issuer, subject, .. } = &proof.rule;
            let detail = format!(
                "The rule for {issuer} and {} matches. This check does not look for earlier use.",
                subject.as_str()
            );
            passed("assertion", detail)
        }
        // Cannot happen: this code runs only for a presented credential.
        Proof::Nothing => not_checked("secret", "The request contains no secret."),
        Proof::Certificate(_) => passed("certificate", "It belongs to the client."),
    }
}

/// `None` if the request needs no credential, or if the administrator does not present it.
fn credentials(
    request: &ExplainedRequest<'_>,
    presented: PresentedParts,
    certificate: Option<&JudgedCertificate>,
) -> Option<ClientAuthentication> {
    let client_id = request.client.to_string();
    if let Some(judged) = certificate {
        let certificate = Arc::clone(&judged.certificate);
        return Some(ClientAuthentication::Certificate { client_id, certificate });
    }
    if let jwt @ Some(_) = presented.assertion {
        let presented = PresentedAssertion { client_id: Some(client_id), jwt, kind: AssertionKind::Jwt };
        return Some(ClientAuthentication::Assertion(presented));
    }
    let pair = IdAndSecret { client_id, secret: presented.secret? };
    Some(match request.settings.method() {
        "client_secret_post" => ClientAuthentication::Post(pair),
        _ => ClientAuthentication::Basic(vec![pair]),
    })
}

fn client_check(request: &ExplainedRequest<'_>, client: Option<&Arc<Client>>) -> ExplainedCheck {
    match may_authenticate(client.cloned(), None) {
        Err(ClientAuthenticationError::Refused {
            reason: reason @ (UNKNOWN_CLIENT | CLIENT_SUSPENDED),
            ..
        }) => request.refused("client", RefusalReason::Credential(reason)),
        Ok(_) | Err(_) => passed("client", "The client is active."),
    }
}

/// Checks the method regardless of the client's status.
fn method_check(
    request: &ExplainedRequest<'_>,
    client: Option<&Arc<Client>>,
    presented: Option<Credential>,
) -> ExplainedCheck {
    let Some(client) = client else {
        return not_checked("method", "This server does not know the client yet.");
    };
    let registered = client.authentication_method;
    let reason = match presented {
        Some(_) if registered.allows(presented) => {
            let detail = format!("The method is supported, and the client is registered for {registered}.");
            return passed("method", detail);
        }
        Some(_) => METHOD_NOT_REGISTERED,
        None => CREDENTIAL_MISSING,
    };
    request.refused("method", RefusalReason::Credential(reason))
}

/// Assumes a valid credential. Refuses the request only if the client has no valid credential at
/// all.
fn assumed(
    request: &ExplainedRequest<'_>,
    client: Arc<Client>,
    kind: Credential,
) -> (ExplainedCheck, Option<EndpointRefusal>) {
    let has_keys = client.keys.is_some() || client.jwks_uri.is_some();
    let (may_match, right_one, reason) = match kind {
        Credential::Secret => {
            let has_live = client.secrets.iter().any(|secret| secret.is_live(request.now));
            (has_live, "a secret that matches", secret_reasons::WRONG)
        }
        Credential::Assertion => {
            let has_rules = !client.federated.0.is_empty();
            (
                has_keys || has_rules,
                "one that a key or a rule of the client accepts",
                AssertionCheck::Key.reason(),
            )
        }
        Credential::Certificate => {
            let (may_match, check) = match CertificateMethod::from_client(&client) {
                CertificateMethod::Issued => {
                    (client.certificate_subject.is_some(), CertificateCheck::Registration)
                }
                CertificateMethod::SelfSigned => (has_keys, CertificateCheck::Key),
            };
            (may_match, "one that belongs to the client", check.reason())
        }
    };
    let name = kind.as_str();
    if may_match {
        let detail = format!("No {name} was presented. The result assumes {right_one}.");
        return (not_checked(name, detail), None);
    }
    let refusal = refusal(&ClientAuthenticationError::refused(reason, Some(client)), name);
    let check = request.refused(name, RefusalReason::Credential(reason));
    if kind != Credential::Secret {
        return (check, Some(refusal));
    }
    // Which reason the log would have depends on the secret.
    let detail = "The client has no live secret, so every secret is refused.".to_owned();
    let values = [("TENANT", request.tenant.as_str()), ("CLIENT", request.client.as_str())];
    let fix = Some(with_commands("Run `latchkey secret add TENANT CLIENT`.", &values));
    (ExplainedCheck { reason: None, detail, fix, ..check }, Some(EndpointRefusal { reason: None, ..refusal }))
}

/// Names the expired or revoked secret or API key that matches.
fn credential_refused(
    request: &ExplainedRequest<'_>,
    client: Option<&Arc<Client>>,
    error: &ClientAuthenticationError,
    name: &str,
    key_id: Option<&ApiKeyId>,
) -> ExplainedCheck {
    let check = request.refused(name, error.reason());
    let ended = match error {
        ClientAuthenticationError::Refused { reason, ended: Some(ended), .. } => Some((*reason, ended)),
        _ => None,
    };
    let (what, id, reason, revoked_at, expires_at) = match (ended, key_id) {
        (Some((reason, Proof::Secret(id))), _) => {
            let mut secrets = client.into_iter().flat_map(|client| &client.secrets);
            let secret = secrets.find(|secret| secret.id == *id);
            let (revoked_at, expires_at) = secret.map_or((None, None), |it| (it.revoked_at, it.expires_at));
            ("secret", id.to_string(), reason, revoked_at, expires_at)
        }
        (Some((reason, Proof::ApiKey(key))), _) if key.client == *request.client => {
            ("API key", key.id.to_string(), reason, key.revoked_at, Some(key.expires_at))
        }
        (_, Some(id)) => {
            return ExplainedCheck { detail: format!("{} Its id is {id}.", check.detail), ..check };
        }
        (_, None) => return check,
    };
    let (at, ended) = match reason {
        secret_reasons::REVOKED | api_key::REVOKED => (revoked_at, "was revoked"),
        _ => (expires_at, "expired"),
    };
    let at = at.map_or_else(String::new, |at| format!(" at {}", at.to_rfc3339()));
    ExplainedCheck { detail: format!("The {what} is {id} of the client, which {ended}{at}."), ..check }
}

/// A refusal is a part of the explanation. All other errors are errors of the explanation itself.
fn refusal_of(error: ClientAuthenticationError) -> Result<ClientAuthenticationError, Problem> {
    match error {
        ClientAuthenticationError::Refused { reason, wait: Some(wait), .. } => {
            Err(Problem::too_many_failures(wait, RefusalReason::Credential(reason)))
        }
        ClientAuthenticationError::Store(error) => Err(error.into()),
        error @ (ClientAuthenticationError::Busy | ClientAuthenticationError::TooManyAssertions(_)) => {
            Err(Problem::unavailable(&error))
        }
        refusal => Ok(refusal),
    }
}

fn refusal(error: &ClientAuthenticationError, credential_check: &str) -> EndpointRefusal {
    EndpointRefusal::by(check_of(error, credential_check), OAuthError::of_authentication(error))
}

fn check_of<'a>(error: &ClientAuthenticationError, credential_check: &'a str) -> &'a str {
    match error.reason() {
        RefusalReason::Credential(UNKNOWN_CLIENT | CLIENT_SUSPENDED) => "client",
        RefusalReason::Credential(METHOD_NOT_REGISTERED | CREDENTIAL_MISSING) => "method",
        _ => credential_check,
    }
}
