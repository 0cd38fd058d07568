//! `GET` and `POST …/oauth/logout`: a client redirects a browser here to sign the person out
//! (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use grants::IdTokenHint;
use pages::{Continue, ErrorKind, Link, SignOut, SignedOut};
use protocol::{Form, RefusalReason};
use registry::Client;
use sessions::{FlowStep, SignedIn};
use url::form_urlencoded::byte_serialize;

use super::account::to_own_account;
use super::posted::Posted;
use super::visit::Visit;
use crate::page::{Opener, PageError, PageRequest, PageResult, respond};
use crate::respond::no_store;

/// The parameters of RP-Initiated Logout §2.
struct LogoutRequest {
    hint: Option<IdTokenHint>,
    /// From `id_token_hint` or `client_id`.
    client: Option<Arc<Client>>,
    /// The registered URI to redirect to, with `state`.
    to: Option<String>,
    /// Whether the request contains a URI that is not registered.
    is_misdirected: bool,
}

/// A client has redirected a browser here.
pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    navigated(&request).await.map_err(PageError::of_sign_out)
}

/// The person has answered the question, or a client has sent its request as a form.
pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    posted(&mut request).await.map_err(PageError::of_sign_out)
}

async fn navigated(request: &PageRequest) -> PageResult {
    let mut visit = Visit::of_navigation(request).await?;
    let query = request.raw.query();
    let request = LogoutRequest::read(&visit, query).await?;
    let response = match visit.signed_in().await? {
        None => finish(&visit, &request, false),
        Some(signed_in) if request.names(&signed_in) => {
            sign_out(&mut visit, &signed_in).await?;
            finish(&visit, &request, false)
        }
        Some(signed_in) => ask(&visit, &request, &signed_in, query).await?,
    };
    Ok(visit.finish(response))
}

async fn posted(request: &mut PageRequest) -> PageResult {
    let posted = Posted::read(request).await?;
    if !posted.has_flow() {
        return posted.again("/oauth/logout");
    }
    let (mut visit, fields, flow) = posted.open()?.current()?;
    let FlowStep::SignOut(session) = flow.step else { return Err(Visit::foreign()) };
    let request = LogoutRequest::read(&visit, &flow.parameters).await?;
    let response = match (visit.signed_in().await?, &*fields.decision) {
        (None, _) => finish(&visit, &request, true),
        (Some(signed_in), "sign_out") if signed_in.session().id == session => {
            sign_out(&mut visit, &signed_in).await?;
            finish(&visit, &request, true)
        }
        // Another session has started in this browser since, so its person is asked.
        (Some(signed_in), "sign_out") => ask(&visit, &request, &signed_in, &flow.parameters).await?,
        // Does not redirect to the client, which would take the redirect as a confirmation of the
        // sign-out.
        (Some(_), _) => to_own_account(&visit, ""),
    };
    Ok(visit.finish(response))
}

async fn sign_out(visit: &mut Visit<'_>, signed_in: &SignedIn) -> PageResult<()> {
    visit.services.sessions.end(&visit.tenant.id, signed_in, visit.now).await?;
    // The revocations in this replica's cache are outdated.
    visit.services.tokens.engine.notice_revocations(&visit.tenant.id);
    visit.browser.forget_session(&visit.tenant)
}

impl LogoutRequest {
    async fn read(visit: &Visit<'_>, parameters: &str) -> PageResult<Self> {
        let Visit { services, tenant, now, .. } = visit;
        let bad = |_| PageError::from_kind(ErrorKind::BadRequest, RefusalReason::RepeatedParameter);
        let mut form = Form::parse(parameters.as_bytes()).map_err(bad)?;
        let hint = form.take("id_token_hint").map_err(bad)?;
        let client_id = form.take("client_id").map_err(bad)?;
        let uri = form.take("post_logout_redirect_uri").map_err(bad)?;
        let state = form.take("state").map_err(bad)?;
        let hint = match hint {
            Some(hint) => services.tokens.engine.id_token_hint(tenant, &hint, *now).await?.ok(),
            None => None,
        };
        // §2: the server must verify that `client_id` is in the audience of the hint.
        let named = client_id.as_deref().or(hint.as_ref().map(|hint| hint.aud.as_str()));
        let is_consistent = hint.as_ref().is_none_or(|hint| named == Some(hint.aud.as_str()));
        let client = match named.filter(|_| is_consistent) {
            Some(named) => services.tokens.authenticator.find_active(&tenant.id, named).await?,
            None => None,
        };
        let hint = hint.filter(|_| client.is_some());
        let registered = |uri: &str| {
            let uris = client.as_ref().map(|client| &client.code_flow.post_logout_redirect_uris);
            uris.is_some_and(|uris| uris.iter().any(|known| known == uri))
        };
        let is_misdirected = uri.as_deref().is_some_and(|uri| !registered(uri));
        let to = uri.filter(|uri| registered(uri)).map(|uri| with_state(&uri, state.as_deref()));
        Ok(Self { hint, client, to, is_misdirected })
    }

    /// Whether to sign out without asking: the request is valid and its hint is of this session.
    fn names(&self, signed_in: &SignedIn) -> bool {
        !self.is_misdirected
            && self
                .hint
                .as_ref()
                .is_some_and(|hint| hint.person.session.as_ref() == Some(&signed_in.session().id))
    }
}

fn with_state(uri: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return uri.to_owned() };
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}state={}", byte_serialize(state.as_bytes()).collect::<String>())
}

/// Nobody is signed in any more. Redirects to the client, or shows a page.
fn finish(visit: &Visit<'_>, request: &LogoutRequest, is_after_form: bool) -> HttpResponse {
    let client = request.client.as_deref();
    match (&request.to, is_after_form) {
        (Some(to), true) => {
            let page = Continue { common: visit.common(client), to: to.clone() };
            respond(StatusCode::OK, &page, Opener::Severed)
        }
        // Requires a valid hint. Otherwise any site could redirect people to any URI that a client
        // has registered.
        (Some(to), false) if request.hint.is_some() => {
            no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, to.as_str())).finish()
        }
        (to, _) => {
            let back = to.clone().zip(client).map(|(url, client)| Link { name: client.name.clone(), url });
            let page = SignedOut { common: visit.common(None), back };
            respond(StatusCode::OK, &page, Opener::Severed)
        }
    }
}

async fn ask(
    visit: &Visit<'_>,
    request: &LogoutRequest,
    signed_in: &SignedIn,
    parameters: &str,
) -> PageResult {
    let step = FlowStep::SignOut(signed_in.session().id.clone());
    let form = visit.form(parameters, step, visit.now)?;
    let account = visit.sign_in_name(signed_in).await?;
    let page = SignOut { common: visit.common(request.client.as_deref()), form, account };
    Ok(respond(StatusCode::OK, &page, Opener::Severed))
}
