//! A valid authorization request: its redirect URI is verified, and everything that it requests can
//! be granted.

use std::sync::Arc;

use accounts::AccountId;
use grants::{Granted, Grantee, OneTimeKey, PushedUse, check_address, check_client, check_request};
use keys::KeyError;
use pages::ErrorKind;
use protocol::{
    AnswerForm, AuthorizationAddress, AuthorizationError, AuthorizationRequest, AuthorizationResponse,
    ErrorResponse, Form, RefusalReason, SentRequest,
};
use registry::methods::UNKNOWN_CLIENT;
use registry::{Client, ClientId, RequestObjectId};
use tenancy::Tenant;
use values::Timestamp;

use super::request_source;
use super::visit::Visit;
use crate::Services;
use crate::page::PageError;
use crate::request::{LoggedName, RequestRefusal as RefusedRequest};

/// Bytes of a query. A client has to push a longer request.
pub(super) const LONGEST: usize = 8 * 1_024;

/// The client and the redirect URI of an answer.
pub(super) struct Addressee {
    pub(super) tenant: Arc<Tenant>,
    pub(super) client: Arc<Client>,
    pub(super) redirect_uri: String,
    pub(super) answer: AnswerForm,
    /// The parameters in the page's sealed form, by which the next step repeats the request.
    pub(super) parameters: String,
}

/// A request, and what the person is asked to grant.
pub(super) struct Authorization {
    pub(super) to: Addressee,
    pub(super) request: AuthorizationRequest,
    pub(super) granted: Granted,
    /// The person of `id_token_hint`.
    pub(super) hinted: Option<AccountId>,
    /// The key of the pushed request.
    pub(super) pushed: Option<OneTimeKey>,
    /// The `jti` of the request object. `None` after a form of this server's pages, which keeps
    /// only the parameters.
    pub(super) object: Option<RequestObjectId>,
}

/// A refused request with a verified redirect URI, so that the client can get the error.
pub(super) struct RefusedAuthorization {
    pub(super) to: Addressee,
    pub(super) error: AuthorizationError,
    /// Whether the request has `prompt=none`, so that no page may be shown.
    pub(super) is_silent: bool,
}

impl Addressee {
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

/// Parses and checks a request.
///
/// # Errors An error page, as long as the redirect URI is not verified.
pub(super) async fn read(
    visit: &Visit<'_>,
    parameters: &str,
    used: PushedUse,
) -> Result<Result<Authorization, Box<RefusedAuthorization>>, PageError> {
    let Visit { services, tenant, now, .. } = visit;
    if parameters.len() > LONGEST {
        return Err(PageError::too_long());
    }
    let unreadable = |refused: ErrorResponse| bad(refused.reason, &refused.error_description);
    let missing = |refused: AuthorizationError| bad(RefusalReason::MissingParameter, &refused.description);
    let mut form = Form::parse(parameters.as_bytes()).map_err(unreadable)?;
    let sent = SentRequest::take(&mut form).map_err(missing)?;
    let found = match ClientId::parse(&sent.client_id) {
        Ok(id) => services.tokens.authenticator.find(&tenant.id, &id).await?,
        Err(_) => None,
    };
    if let Some(found) = &found {
        visit.log_client(found);
    }
    let client = check_client(found).ok();
    let known = client.as_deref();
    let opened = request_source::open(services, tenant, known, sent, parameters, used, *now).await?;
    let mut form = Form::parse(opened.parameters.as_bytes()).map_err(unreadable)?;
    let is_silent = Form::parse(opened.parameters.as_bytes())
        .and_then(|mut form| form.take("prompt"))
        .is_ok_and(|prompt| prompt.is_some_and(|prompt| prompt.split(' ').any(|value| value == "none")));
    form.take("client_id").map_err(unreadable)?;
    let address = AuthorizationAddress::take(&mut form).map_err(missing)?;
    let client = client.ok_or_else(|| unaddressed(None))?;
    check_address(&client, &address).map_err(|_| unaddressed(Some(Arc::clone(&client))))?;
    let (answer, request) = AuthorizationRequest::take(form);
    let (tenant, redirect_uri) = (Arc::clone(tenant), address.redirect_uri);
    let (pushed, object, parameters) = (opened.pushed, opened.object, opened.kept.into_owned());
    let to = Addressee { tenant, client, redirect_uri, answer, parameters };
    let checked = match request {
        Ok(request) => check(services, &to.tenant, &to.client, request, pushed.is_some(), *now).await?,
        Err(error) => Err(error),
    };
    Ok(match checked {
        Ok(GrantableRequest { request, granted, hinted }) => {
            Ok(Authorization { to, request, granted, hinted, pushed, object })
        }
        Err(error) => Err(Box::new(RefusedAuthorization { to, error, is_silent })),
    })
}

/// The same page for an unknown client and for a redirect URI that is not registered, because
/// strangers must not find out which client ids exist. The log has the reason.
fn unaddressed(client: Option<Arc<Client>>) -> PageError {
    let (reason, named) = match client {
        None => (RefusalReason::Credential(UNKNOWN_CLIENT), LoggedName::Nothing),
        Some(client) => (RefusalReason::RedirectUriNotRegistered, LoggedName::Client(client)),
    };
    let detail = "The client_id is unknown or its client does not use sign-in, or the redirect_uri is not \
        registered for it";
    PageError { refused: RefusedRequest { reason, named }, ..bad(reason, detail) }
}

fn bad(reason: RefusalReason, detail: &str) -> PageError {
    PageError::from_kind(ErrorKind::BadRequest, reason).detailed(detail)
}

pub(super) struct GrantableRequest {
    request: AuthorizationRequest,
    granted: Granted,
    hinted: Option<AccountId>,
}

/// All checks except that of the redirect URI.
///
/// # Errors If the tenant's keys fail.
pub(super) async fn check(
    services: &Services,
    tenant: &Tenant,
    client: &Client,
    request: AuthorizationRequest,
    is_pushed: bool,
    now: Timestamp,
) -> Result<Result<GrantableRequest, AuthorizationError>, KeyError> {
    let grantee = Grantee { tenant, client };
    let granted = match check_request(&grantee, &request, is_pushed) {
        Ok(granted) => granted,
        Err(error) => return Ok(Err(error)),
    };
    let hinted = hinted_person(services, &grantee, request.id_token_hint.as_deref(), now).await?;
    Ok(hinted.map(|hinted| GrantableRequest { request, granted, hinted }))
}

async fn hinted_person(
    services: &Services,
    grantee: &Grantee<'_>,
    hint: Option<&str>,
    now: Timestamp,
) -> Result<Result<Option<AccountId>, AuthorizationError>, KeyError> {
    let Some(hint) = hint else { return Ok(Ok(None)) };
    let refused = |description| Ok(Err(AuthorizationError::invalid_request(description)));
    let Ok(hint) = services.tokens.engine.id_token_hint(grantee.tenant, hint, now).await? else {
        return refused("The id_token_hint is not an ID token of this server");
    };
    if !hint.is_for(grantee, services.authorizations.subjects()) {
        return refused("The id_token_hint was issued to a client with other subjects");
    }
    Ok(Ok(Some(hint.person.account)))
}
