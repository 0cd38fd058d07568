//! Explains the client authentication of a request. A presented secret is an attempt like any other: hashed, compared and throttled by
//! the authenticator of the token endpoint. No use of a secret is recorded.

use std::sync::Arc;

use administration::{ExplainedCheck, ExplainedCredential, RegisteredCredential};
use protocol::{
    ClientAuthentication, ClientAuthenticationMethod as Method, IdAndSecret, PresentedAssertion,
    RefusalReason, Secret, Timestamp,
};
use registry::{
    AssertionError, CertificateError, CertificateMethod, Client, ClientAuthenticationError, ClientId, Proof,
    SecretId, may_authenticate,
};
use secrets::ClientAddress;
use tenancy::Tenant;

use super::advice::Subject;
use super::certificate::JudgedCertificate;
use super::check::{Refusal, not_checked, passed, refused};
use crate::TokenServices;
use crate::respond::{OAuthError, Problem};

/// What a request would present.
pub(super) struct Presented<'a> {
    pub(super) method: &'a str,
    pub(super) secret: Option<Secret>,
    pub(super) assertion: Option<Secret>,
    /// In PEM.
    pub(super) certificate: Option<String>,
    /// The source by which a failed attempt is counted: the administrator's.
    pub(super) source: &'a ClientAddress,
}

/// The explanation, and the refusal by it.
pub(super) struct Authentication {
    pub(super) credential: ExplainedCredential,
    pub(super) refusal: Option<Refusal>,
}

/// The credentials of the request.
enum Credentials {
    /// Of a method without a secret, which refuses the request.
    WithoutSecret(ClientAuthenticationError),
    /// A secret that the administrator does not present.
    Assumed,
    Presented(ClientAuthentication),
}

/// Explains the authentication of a client, which need not exist.
///
/// # Errors
/// 429 where too many secrets were wrong, and what keeps the server from answering.
pub(super) async fn explain(
    services: &TokenServices,
    (tenant, client): (&Tenant, Option<&Arc<Client>>),
    presented: Presented<'_>,
    subject: &Subject<'_>,
    now: Timestamp,
) -> Result<Authentication, Problem> {
    let Presented { method, secret, assertion, certificate, source } = presented;
    let secrets = client.into_iter().flat_map(|client| &client.secrets);
    let keys = client.and_then(|client| client.keys.as_ref()).into_iter().flat_map(|keys| keys.keys().iter());
    let registered = secrets.map(|secret| RegisteredCredential::of(secret, now));
    let registered =
        registered.chain(keys.map(|(kid, algorithm)| RegisteredCredential::of_key(kid, algorithm)));
    let registered = registered.collect();
    let kind = Kind::of(method);
    let judged = certificate.filter(|_| kind.is_certificate());
    let judged = judged.map(|pem| JudgedCertificate::of(&pem, &services.certificate_sources, now));
    let credentials = credentials(method, subject.client, secret, assertion, judged.as_ref());
    let mut checks = vec![client_check(client, subject), method_check(client, &credentials, &kind, subject)];
    let mut matched = None;
    let (credential_checks, refusal) = match (credentials, may_authenticate(client.cloned(), kind.allows)) {
        (Credentials::WithoutSecret(error), _) => {
            let check = not_checked("secret", "The request presents no secret.");
            (vec![check], Some(refusal(&error, kind.check)))
        }
        (Credentials::Assumed, Err(error)) => {
            (vec![not_checked(kind.check, kind.not_presented)], Some(refusal(&error, kind.check)))
        }
        (Credentials::Assumed, Ok(client)) => {
            let (check, refusal) = match &kind {
                kind if kind.is_assertion() => assumed_assertion(client, subject),
                kind if kind.is_certificate() => assumed_certificate(client, subject),
                _ => assumed(client, subject, now),
            };
            (vec![check], refusal)
        }
        (Credentials::Presented(credentials), may) => {
            let proof = services.authenticator.explain(tenant, credentials, source, now).await;
            let proof = proof.map_or_else(|error| refusal_of(error).map(Err), |proof| Ok(Ok(proof)))?;
            let check = match (&may, &proof) {
                (Err(_), _) => vec![not_checked(kind.check, "No credential of such a client is checked.")],
                (Ok(client), proof) if let Some(judged) = &judged => {
                    let verdict = proof.as_ref().map_err(ClientAuthenticationError::reason);
                    judged.checks(client, verdict.map(|_| CertificateMethod::of(client)), subject, now)
                }
                (Ok(_), Ok(proof)) => vec![proven(proof)],
                (Ok(_), Err(error)) if kind.is_assertion() => {
                    vec![refused(subject, kind.check, error.reason())]
                }
                (Ok(_), Err(error)) => vec![secret_refused(error, subject)],
            };
            let refused_by = |error: &ClientAuthenticationError| {
                judged.as_ref().map_or(kind.check, |judged| judged.check_of(error))
            };
            if let Ok(Proof::Secret(id)) = &proof {
                matched = Some(id.to_string());
            }
            (check, proof.err().map(|error| refusal(&error, refused_by(&error))))
        }
    };
    checks.extend(credential_checks);
    let credential = ExplainedCredential { method: method.to_owned(), matched, checks, registered };
    Ok(Authentication { credential, refusal })
}

/// The check of a credential that has proven the client.
fn proven(proof: &Proof) -> ExplainedCheck {
    match proof {
        Proof::Secret(id) => passed("secret", format!("The secret is {id} of the client.")),
        Proof::Assertion => {
            let detail = "A key of the client signed it. Whether it was used before is not checked.";
            passed("assertion", detail)
        }
        // An administrator presents a credential, which is not proven by nothing.
        Proof::Nothing => not_checked("secret", "The request presents no secret."),
        Proof::Certificate(_) => passed("certificate", "It is the client's."),
    }
}

/// Which credential a method presents, as its check names it.
struct Kind {
    check: &'static str,
    not_presented: &'static str,
    allows: fn(Method) -> bool,
}

impl Kind {
    fn of(method: &str) -> Self {
        if method == Method::PrivateKeyJwt.as_str() {
            let not_presented = "No assertion was presented.";
            return Self { check: "assertion", not_presented, allows: Method::allows_assertion };
        }
        if is_of_certificates(method) {
            let not_presented = "No certificate was presented.";
            return Self { check: "certificate", not_presented, allows: Method::allows_certificate };
        }
        Self { check: "secret", not_presented: "No secret was presented.", allows: Method::allows_secret }
    }

    fn is_certificate(&self) -> bool {
        self.check == "certificate"
    }

    fn is_assertion(&self) -> bool {
        self.check == "assertion"
    }
}

pub(super) fn is_of_certificates(method: &str) -> bool {
    [Method::TlsClientAuth, Method::SelfSignedTlsClientAuth].iter().any(|known| known.as_str() == method)
}

fn credentials(
    method: &str,
    client: &ClientId,
    secret: Option<Secret>,
    assertion: Option<Secret>,
    certificate: Option<&JudgedCertificate>,
) -> Credentials {
    let client_id = client.to_string();
    if is_of_certificates(method) {
        let presented = certificate.map(|judged| Arc::clone(&judged.certificate));
        return presented.map_or(Credentials::Assumed, |certificate| {
            Credentials::Presented(ClientAuthentication::Certificate { client_id, certificate })
        });
    }
    let without_secret = match (method, secret) {
        ("client_secret_basic" | "client_secret_post", None) => return Credentials::Assumed,
        ("client_secret_post", Some(secret)) => {
            return Credentials::Presented(ClientAuthentication::Post(IdAndSecret { client_id, secret }));
        }
        (_, Some(secret)) => {
            let pair = IdAndSecret { client_id, secret };
            return Credentials::Presented(ClientAuthentication::Basic(vec![pair]));
        }
        ("private_key_jwt", None) => {
            let presented = |jwt| PresentedAssertion { client_id: Some(client_id), jwt: Some(jwt) };
            let presented = assertion.map(presented).map(ClientAuthentication::Assertion);
            return presented.map_or(Credentials::Assumed, Credentials::Presented);
        }
        (_, None) => ClientAuthentication::None { client_id },
    };
    Credentials::WithoutSecret(ClientAuthenticationError::without_secret(&without_secret))
}

fn client_check(client: Option<&Arc<Client>>, subject: &Subject<'_>) -> ExplainedCheck {
    match may_authenticate(client.cloned(), Method::allows_secret).map_err(|error| error.reason()) {
        Err(reason @ (RefusalReason::UnknownClient | RefusalReason::ClientSuspended)) => {
            refused(subject, "client", reason)
        }
        Ok(_) | Err(_) => passed("client", "The client is active."),
    }
}

/// The method, whatever the status of the client is.
fn method_check(
    client: Option<&Arc<Client>>,
    credentials: &Credentials,
    kind: &Kind,
    subject: &Subject<'_>,
) -> ExplainedCheck {
    let Some(client) = client else {
        return not_checked("method", "This server does not know the client yet.");
    };
    let registered = client.authentication_method;
    let refusal = match credentials {
        Credentials::WithoutSecret(error) => Some(error.reason()),
        Credentials::Assumed | Credentials::Presented(_) => {
            (!(kind.allows)(registered)).then_some(RefusalReason::MethodNotRegistered)
        }
    };
    match refusal {
        Some(reason) => refused(subject, "method", reason),
        None => {
            passed("method", format!("The method is served, and the client is registered for {registered}."))
        }
    }
}

/// Without a presented secret, it is refused only where no secret of the client is live. Its reason depends on the secret.
fn assumed(client: Arc<Client>, subject: &Subject<'_>, now: Timestamp) -> (ExplainedCheck, Option<Refusal>) {
    if client.secrets.iter().any(|secret| secret.is_live(now)) {
        let detail = "No secret was presented. The result assumes a secret that matches.";
        return (not_checked("secret", detail), None);
    }
    let detail = "The client has no live secret, so that every secret is refused.".to_owned();
    let error = ClientAuthenticationError::SecretMismatch(client);
    let check = refused(subject, "secret", error.reason());
    let fix = Some(format!("Run `latchkey secret add {} {}`.", subject.tenant, subject.client));
    (
        ExplainedCheck { reason: None, detail, fix, ..check },
        Some(Refusal { reason: None, ..refusal(&error, "secret") }),
    )
}

/// Without a presented assertion, it is refused only where the client has no key.
fn assumed_assertion(client: Arc<Client>, subject: &Subject<'_>) -> (ExplainedCheck, Option<Refusal>) {
    if client.keys.is_some() || client.jwks_uri.is_some() {
        let detail = "No assertion was presented. The result assumes one that a key of the client signed.";
        return (not_checked("assertion", detail), None);
    }
    let error = ClientAuthenticationError::AssertionRefused(client, AssertionError::KeyUnknown);
    (refused(subject, "assertion", error.reason()), Some(refusal(&error, "assertion")))
}

/// Without a presented certificate, it is refused only where the client has neither a subject nor a key.
fn assumed_certificate(client: Arc<Client>, subject: &Subject<'_>) -> (ExplainedCheck, Option<Refusal>) {
    let (is_registered, error) = match CertificateMethod::of(&client) {
        CertificateMethod::Issued => (client.certificate_subject.is_some(), CertificateError::OtherSubject),
        CertificateMethod::SelfSigned => {
            (client.keys.is_some() || client.jwks_uri.is_some(), CertificateError::NotRegistered)
        }
    };
    if is_registered {
        let detail = "No certificate was presented. The result assumes one that is the client's.";
        return (not_checked("certificate", detail), None);
    }
    let error = ClientAuthenticationError::CertificateRefused(client, error);
    (refused(subject, "certificate", error.reason()), Some(refusal(&error, "certificate")))
}

/// The check of a secret that was compared, with the secret that it was.
fn secret_refused(error: &ClientAuthenticationError, subject: &Subject<'_>) -> ExplainedCheck {
    let check = refused(subject, "secret", error.reason());
    let ended = |client: &Client, id: &SecretId, is_revoked: bool| {
        let secret = client.secrets.iter().find(|secret| secret.id == *id)?;
        if is_revoked { secret.revoked_at } else { secret.expires_at }
    };
    let (id, at, ended) = match error {
        ClientAuthenticationError::SecretExpired(client, id) => (id, ended(client, id, false), "expired"),
        ClientAuthenticationError::SecretRevoked(client, id) => (id, ended(client, id, true), "was revoked"),
        _ => return check,
    };
    let at = at.map_or_else(String::new, |at| format!(" at {}", at.to_rfc3339()));
    ExplainedCheck { detail: format!("The secret is {id} of the client, which {ended}{at}."), ..check }
}

/// A refusal of an attempt; everything else is an answer to the administrator.
fn refusal_of(error: ClientAuthenticationError) -> Result<ClientAuthenticationError, Problem> {
    match error {
        ClientAuthenticationError::TooManyFailures { wait, refusal } => {
            Err(Problem::too_many_failures(wait, refusal.reason()))
        }
        ClientAuthenticationError::Store(error) => Err(error.into()),
        error @ (ClientAuthenticationError::Busy | ClientAuthenticationError::TooManyAssertions) => {
            Err(Problem::unavailable(&error))
        }
        refusal => Ok(refusal),
    }
}

/// The refusal by the check of the client, of the method, or of the credential itself.
fn refusal(error: &ClientAuthenticationError, credential_check: &'static str) -> Refusal {
    let check = match error.reason() {
        RefusalReason::UnknownClient | RefusalReason::ClientSuspended => "client",
        RefusalReason::MethodNotRegistered | RefusalReason::CredentialMissing => "method",
        _ => credential_check,
    };
    Refusal::by(check, OAuthError::of_authentication(error))
}
