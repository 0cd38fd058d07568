//! Where the parameters of an authorization request are: in the query or form, in a request object
//! (RFC 9101), or in a pushed request (RFC 9126 §4).

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

pub(super) struct OpenedRequest<'p> {
    /// The parameters to use.
    pub(super) parameters: Cow<'p, str>,
    /// The parameters for the page's sealed form, by which the next step repeats the request.
    pub(super) kept: Cow<'p, str>,
    pub(super) pushed: Option<OneTimeKey>,
    /// The `jti` of the request object.
    pub(super) object: Option<RequestObjectId>,
}

/// Finds the parameters of a client's request. The request of an unknown client is refused like
/// that of a client without keys and pushed requests, so that strangers cannot tell the difference.
///
/// # Errors An error page, because the redirect URI is not known yet.
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
            // The parameters come from a verified request object. They stay valid in the forms of
            // the following pages, even if the object expires. Forms contain only the parameters,
            // so they use no object up.
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

/// The client gets the same error for all reasons.
pub(super) fn used_up() -> AuthorizationError {
    let description = "The request_uri does not belong to this client, has expired, or was already used";
    AuthorizationError::new(AuthorizationErrorCode::InvalidRequestUri, description)
}

/// The page does not reveal that the client is unknown; the log does.
fn of_unknown(refused: AuthorizationError) -> PageError {
    PageError::refused(refused).because(RefusalReason::Credential(UNKNOWN_CLIENT))
}

fn elsewhere() -> AuthorizationError {
    let description = "The request_uri was not issued by this server";
    AuthorizationError::new(AuthorizationErrorCode::RequestUriNotSupported, description)
}
