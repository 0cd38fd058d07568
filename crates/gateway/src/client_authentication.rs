//! Authenticates the client of a request, and notes for log and metrics how it was presented and what came of it.

use protocol::{ClientAuthentication, PresentedMethod, Timestamp};
use registry::AuthenticatedClient;
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

pub(crate) async fn authenticate(
    services: &Services,
    tenant: &Tenant,
    credentials: ClientAuthentication,
    raw: &RawRequest,
    now: Timestamp,
) -> Result<AuthenticatedClient, OAuthError> {
    let method = credentials.presented_method();
    let authenticated = services.authenticator.authenticate(tenant, credentials, &raw.source(), now).await;
    let outcome = match &authenticated {
        Ok(_) => AuthenticationOutcome::Accepted,
        Err(error) if error.is_refusal() => AuthenticationOutcome::Refused,
        Err(_) => AuthenticationOutcome::Unavailable,
    };
    raw.log(|fields| fields.authentication = Some(AttemptedAuthentication { method, outcome }));
    let client = authenticated?;
    raw.log(|fields| fields.client = Some(client.client().id.clone()));
    Ok(client)
}
