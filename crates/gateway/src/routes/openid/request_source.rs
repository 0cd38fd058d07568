//! The parameters of an authorization request: in the query or form, in a request object (RFC 9101), or in a
//! pushed request (RFC 9126 §4).

use std::borrow::Cow;

use grants::{OneTimeKey, PushedUse};
use protocol::{AuthorizationError, AuthorizationErrorCode, RefusalReason, RequestSource, SentRequest};
use registry::methods::UNKNOWN_CLIENT;
use registry::{Client, OpenedRequestObject, RequestObjectError, RequestObjectId, SingleUseError};
use tenancy::Tenant;
use values::Timestamp;

use crate::Services;
use crate::page::{PageError, PageResult};
use crate::request::ServerFailure;
use crate::respond::{ErrorBody, HttpError};

/// A request with its parameters.
pub(super) struct OpenedRequest<'p> {
    /// The parameters that count.
    pub(super) parameters: Cow<'p, str>,
    /// The parameters that a page keeps to repeat the request.
    pub(super) kept: Cow<'p, str>,
    /// The pushed request that it is.
    pub(super) pushed: Option<OneTimeKey>,
    /// The `jti` of the request object that was sent.
    pub(super) object: Option<RequestObjectId>,
}

/// Finds the parameters of a request of this client. One of an unknown client is refused as that of a client
/// without keys and without pushed requests is, so that a stranger cannot tell them apart.
///
/// # Errors
/// A page, because an unreadable request has no address.
pub(super) async fn open<'p>(
    services: &Services,
    tenant: &Tenant,
    client: Option<&Client>,
    sent: SentRequest,
    parameters: &'p str,
    used: PushedUse,
    now: Timestamp,
) -> PageResult<OpenedRequest<'p>> {
    let reference = match sent.source {
        RequestSource::Parameters => {
            let parameters = Cow::Borrowed(parameters);
            return Ok(OpenedRequest { kept: parameters.clone(), parameters, pushed: None, object: None });
        }
        RequestSource::Elsewhere => return Err(PageError::refused(elsewhere())),
        RequestSource::Object(object) => {
            let client = client.ok_or_else(|| of_unknown(RequestObjectError::NotSupported.into()))?;
            let opened =
                services.tokens.authenticator.open_request_object(tenant, client, &object, now).await;
            let OpenedRequestObject { parameters, identifier: object } =
                opened.map_err(|error| PageError::refused(error.into()))?;
            // The members are those of a request that was verified. This applies also if the form arrives
            // after the request has expired. Forms send the members alone, so they use no object up.
            let parameters = Cow::from(parameters);
            return Ok(OpenedRequest { kept: parameters.clone(), parameters, pushed: None, object });
        }
        RequestSource::Pushed(reference) => reference,
    };
    let client = client.ok_or_else(|| of_unknown(used_up()))?;
    let found = services.authorizations.find_pushed(&tenant.id, &client.id, &reference, used, now).await?;
    let found = found.ok_or_else(|| PageError::refused(used_up()))?;
    let pushed = Some(found.key);
    Ok(OpenedRequest {
        parameters: found.content.parameters.into(),
        kept: parameters.into(),
        pushed,
        object: None,
    })
}

/// The refusal of a request object that cannot be used up.
pub(super) fn not_used<B: ErrorBody>(
    error: SingleUseError,
    refused: impl FnOnce(AuthorizationError) -> HttpError<B>,
) -> HttpError<B> {
    match error {
        SingleUseError::Replayed => refused(RequestObjectError::Replayed.into()),
        SingleUseError::ShareUsedUp => {
            HttpError::from(ServerFailure::Unavailable).because(RefusalReason::LimitReached)
        }
        SingleUseError::Store(error) => error.into(),
    }
}

/// The request URI cannot be used. Callers cannot distinguish the reasons.
pub(super) fn used_up() -> AuthorizationError {
    let description = "The request_uri is not one of this client, or has ended, or was used";
    AuthorizationError::new(AuthorizationErrorCode::InvalidRequestUri, description)
}

/// The log says what the page does not.
fn of_unknown(refused: AuthorizationError) -> PageError {
    PageError::refused(refused).because(RefusalReason::Credential(UNKNOWN_CLIENT))
}

fn elsewhere() -> AuthorizationError {
    let description = "The request_uri is not one of this server";
    AuthorizationError::new(AuthorizationErrorCode::RequestUriNotSupported, description)
}
