//! An authorization request that is in order: it has an address, and all that it requests can be granted.

use std::sync::Arc;

use grants::{AddressError, Granted, Grantee, check_address, check_request};
use pages::ErrorKind;
use protocol::{
    AnswerForm, AuthorizationAddress, AuthorizationError, AuthorizationErrorCode, AuthorizationRequest,
    AuthorizationResponse, Form, RefusalReason, Timestamp,
};
use registry::Client;
use tenancy::Tenant;

use crate::Services;
use crate::page_error::PageError;

/// The longest query. A longer request is pushed.
pub(super) const LONGEST: usize = 8 * 1_024;

/// Where the answer of a request goes.
pub(super) struct Addressee {
    pub(super) tenant: Arc<Tenant>,
    pub(super) client: Arc<Client>,
    pub(super) redirect_uri: String,
    pub(super) answer: AnswerForm,
    /// The parameters as they were sent.
    pub(super) parameters: String,
}

/// A request, and what is granted by it.
pub(super) struct Authorization {
    pub(super) to: Addressee,
    pub(super) request: AuthorizationRequest,
    pub(super) granted: Granted,
    /// The subject of the ID token that hints at who is expected.
    pub(super) hinted: Option<String>,
}

/// A request that is refused, and whose answer has an address.
pub(super) struct Refused {
    pub(super) to: Addressee,
    pub(super) error: AuthorizationError,
    /// Whether nothing may be shown.
    pub(super) is_silent: bool,
}

impl Addressee {
    /// An answer to the client.
    pub(super) fn response(&self, outcome: Result<String, AuthorizationError>) -> AuthorizationResponse {
        AuthorizationResponse {
            redirect_uri: self.redirect_uri.clone(),
            mode: self.answer.mode,
            state: self.answer.state.clone(),
            iss: self.tenant.issuer.as_str().to_owned(),
            outcome,
        }
    }
}

/// Reads and checks a request, in the order of its checks.
///
/// # Errors
/// A page, as long as the answer has no address.
pub(super) async fn read(
    services: &Services,
    tenant: &Arc<Tenant>,
    parameters: &str,
    now: Timestamp,
) -> Result<Result<Authorization, Box<Refused>>, PageError> {
    if parameters.len() > LONGEST {
        return Err(PageError::of(ErrorKind::TooLong, RefusalReason::TooManyParameters).at(tenant));
    }
    let bad = |reason, detail: &str| PageError::of(ErrorKind::BadRequest, reason).at(tenant).detailed(detail);
    let mut form = Form::parse(parameters.as_bytes())
        .map_err(|refused| bad(refused.reason, &refused.error_description))?;
    let is_silent = Form::parse(parameters.as_bytes())
        .and_then(|mut form| form.take("prompt"))
        .is_ok_and(|prompt| prompt.is_some_and(|prompt| prompt == "none"));
    let address = AuthorizationAddress::take(&mut form)
        .map_err(|refused| bad(RefusalReason::MissingParameter, &refused.description))?;
    let client = services.authenticator.find_active(&tenant.id, &address.client_id).await?;
    check_address(client.as_deref(), &address).map_err(|error| match error {
        AddressError::Client => {
            bad(RefusalReason::UnknownClient, "The client_id names no client that signs people in here")
        }
        AddressError::RedirectUri => {
            bad(RefusalReason::RedirectUriNotRegistered, "The redirect_uri is not registered for this client")
        }
    })?;
    let Some(client) = client else { return Err(bad(RefusalReason::UnknownClient, "")) };
    let (answer, request) = AuthorizationRequest::take(form);
    let (tenant, redirect_uri) = (Arc::clone(tenant), address.redirect_uri);
    let to = Addressee { tenant, client, redirect_uri, answer, parameters: parameters.to_owned() };
    let grantee = Grantee { tenant: &to.tenant, client: &to.client };
    let checked = request.and_then(|request| Ok((check_request(&grantee, &request)?, request)));
    let checked = match checked {
        Ok((granted, request)) => {
            let hinted = hinted_subject(services, &to.tenant, request.id_token_hint.as_deref(), now).await?;
            hinted.map(|hinted| (request, granted, hinted))
        }
        Err(error) => Err(error),
    };
    Ok(match checked {
        Ok((request, granted, hinted)) => Ok(Authorization { to, request, granted, hinted }),
        Err(error) => Err(Box::new(Refused { to, error, is_silent })),
    })
}

/// Who is expected by an ID token of ours.
async fn hinted_subject(
    services: &Services,
    tenant: &Tenant,
    hint: Option<&str>,
    now: Timestamp,
) -> Result<Result<Option<String>, AuthorizationError>, PageError> {
    let Some(hint) = hint else { return Ok(Ok(None)) };
    let read = services.engine.id_token_hint(tenant, hint, now).await?;
    Ok(read.map(|hint| Some(hint.sub)).map_err(|_| {
        let description = "The id_token_hint is not an ID token of this server";
        AuthorizationError::new(AuthorizationErrorCode::InvalidRequest, description)
    }))
}
