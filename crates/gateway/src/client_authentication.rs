//! Authenticates the client of a request, and notes for log and metrics how it was presented and what came of it.

use protocol::{ClientAuthentication, PresentedMethod, Timestamp};
use registry::{AuthenticatedClient, CertificateMethod, ClientAuthenticationError, Proof};
use tenancy::Tenant;

use crate::Services;
use crate::raw_request::RawRequest;
use crate::respond::OAuthError;

/// What came of a client authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthenticationOutcome {
    Accepted,
    Refused,
    /// The server could not say.
    Unavailable,
}

impl AuthenticationOutcome {
    pub(crate) const ALL: [Self; 3] = [Self::Accepted, Self::Refused, Self::Unavailable];

    /// The label of metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A client authentication, for log and metrics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptedAuthentication {
    pub(crate) method: PresentedMethod,
    pub(crate) outcome: AuthenticationOutcome,
}

/// As [`authenticate`], and accepts a public client by its name alone.
pub(crate) async fn authenticate_or_identify(
    services: &Services,
    tenant: &Tenant,
    credentials: ClientAuthentication,
    raw: &RawRequest,
    now: Timestamp,
) -> Result<AuthenticatedClient, OAuthError> {
    let credentials = credentials.beside(raw.client_certificate(now)?);
    let (method, source) = (credentials.presented_method(), raw.source());
    let identified = services.authenticator.authenticate_or_identify(tenant, credentials, &source, now).await;
    note(raw, method, identified)
}

pub(crate) async fn authenticate(
    services: &Services,
    tenant: &Tenant,
    credentials: ClientAuthentication,
    raw: &RawRequest,
    now: Timestamp,
) -> Result<AuthenticatedClient, OAuthError> {
    let credentials = credentials.beside(raw.client_certificate(now)?);
    let (method, source) = (credentials.presented_method(), raw.source());
    let authenticated = services.authenticator.authenticate(tenant, credentials, &source, now).await;
    note(raw, method, authenticated)
}

fn note(
    raw: &RawRequest,
    presented: PresentedMethod,
    authenticated: Result<AuthenticatedClient, ClientAuthenticationError>,
) -> Result<AuthenticatedClient, OAuthError> {
    let outcome = match &authenticated {
        Ok(_) => AuthenticationOutcome::Accepted,
        Err(error) if error.is_refusal() => AuthenticationOutcome::Refused,
        Err(_) => AuthenticationOutcome::Unavailable,
    };
    let method = match authenticated.as_ref().map(AuthenticatedClient::proof) {
        Ok(Proof::Certificate(method)) => method.presented(),
        // A public client may come over a connection with a certificate.
        Ok(Proof::Nothing) => PresentedMethod::None,
        Ok(Proof::Secret(_) | Proof::Assertion) => presented,
        Err(error) => CertificateMethod::of_refused(error).map_or(presented, CertificateMethod::presented),
    };
    raw.log(|fields| fields.authentication = Some(AttemptedAuthentication { method, outcome }));
    let client = authenticated?;
    raw.log(|fields| fields.client = Some(client.client().id.clone()));
    Ok(client)
}
