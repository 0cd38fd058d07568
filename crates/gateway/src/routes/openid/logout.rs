//! `GET` and `POST …/oauth/logout`: a client sends a person here to sign out (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use grants::IdTokenHint;
use pages::{Continue, ErrorKind, Link, SignOut, SignedOut};
use protocol::{Form, RefusalReason, Timestamp};
use registry::Client;
use sessions::{Flow, FlowStep, SignedIn};
use tenancy::Tenant;
use url::form_urlencoded::byte_serialize;

use super::authorization::LONGEST;
use super::browser::Browser;
use super::proceed::sign_in_name;
use crate::Services;
use crate::cookies::Cookies;
use crate::fetch_metadata::{OwnOrigin, judge_form, judge_navigation};
use crate::options::PublicUrl;
use crate::page::{Opener, common_of, respond};
use crate::page_error::PageError;
use crate::raw_request::RawRequest;
use crate::respond::no_store;

/// What a client sends (§2).
struct LogoutRequest {
    hint: Option<IdTokenHint>,
    /// The client, by the hint or by `client_id`.
    client: Option<Arc<Client>>,
    /// Where the browser goes afterwards: a registered URI with `state`.
    to: Option<String>,
    /// Whether the request names a URI that is not registered.
    is_misdirected: bool,
}

/// A client sends the person here.
pub(crate) async fn navigate(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    raw: RawRequest,
) -> Result<HttpResponse, PageError> {
    let tenant = services.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    judge_navigation(raw.headers()).map_err(|kind| PageError::of(kind, RefusalReason::NotANavigation))?;
    let now = (services.clock)();
    let mut browser = Browser::of_navigation(Cookies::of(&public_url.0), raw.headers());
    let request = LogoutRequest::read(&services, &tenant, raw.query(), now).await?;
    let signed_in = browser.signed_in(&services, &tenant, now).await?;
    let response = match &signed_in {
        None => finish(&tenant, &request, false, &public_url),
        Some(signed_in) if request.names(signed_in) => {
            services.sessions.end(&tenant.id, signed_in, now).await?;
            browser.forget_session(&tenant).map_err(|error| PageError::fault(&error))?;
            finish(&tenant, &request, false, &public_url)
        }
        Some(signed_in) => {
            let context = (&**services, &**public_url);
            ask(context, &browser, &tenant, &request, (signed_in, raw.query()), now).await?
        }
    };
    Ok(browser.finish(response))
}

/// The person has answered the question, or a client has sent its request as a form, which brings no cookies from another site.
pub(crate) async fn post(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    mut raw: RawRequest,
) -> Result<HttpResponse, PageError> {
    let tenant = services.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let foreign = |kind| PageError::of(kind, RefusalReason::ForeignForm).at(&tenant);
    judge_navigation(raw.headers()).map_err(foreign)?;
    let body = raw.form().await?;
    let text =
        std::str::from_utf8(&body).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    let text = text.ok_or_else(|| foreign(ErrorKind::BadRequest))?;
    let mut form = Form::parse(text.as_bytes()).map_err(|_| foreign(ErrorKind::BadRequest))?;
    let sealed = form.take("flow").map_err(|_| foreign(ErrorKind::ForeignForm))?;
    let Some(sealed) = sealed else {
        if text.len() > LONGEST {
            return Err(foreign(ErrorKind::TooLong));
        }
        let location = format!("{}/api/v1/tenant/{}/oauth/logout?{text}", public_url.path(), tenant.id);
        return Ok(no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, location)).finish());
    };
    judge_form(raw.headers(), &OwnOrigin::of(&public_url.0)).map_err(foreign)?;
    let now = (services.clock)();
    let browser = Browser::of_form(Cookies::of(&public_url.0), raw.headers());
    let mut browser = browser.ok_or_else(|| foreign(ErrorKind::ForeignForm))?;
    let flow = services.flows.open(&tenant.id, browser.id(), &sealed, now);
    let Ok(Flow { parameters, step: FlowStep::SignOut(session), .. }) = flow else {
        return Err(foreign(ErrorKind::ForeignForm));
    };
    let request = LogoutRequest::read(&services, &tenant, &parameters, now).await?;
    let wants = form.take("decision").ok().flatten().is_some_and(|decision| decision == "sign_out");
    let signed_in = browser.signed_in(&services, &tenant, now).await?;
    if let Some(signed_in) = signed_in.filter(|signed_in| wants && signed_in.session().id == session) {
        services.sessions.end(&tenant.id, &signed_in, now).await?;
        browser.forget_session(&tenant).map_err(|error| PageError::fault(&error))?;
    }
    Ok(browser.finish(finish(&tenant, &request, true, &public_url)))
}

impl LogoutRequest {
    async fn read(
        services: &Services,
        tenant: &Arc<Tenant>,
        parameters: &str,
        now: Timestamp,
    ) -> Result<Self, PageError> {
        let bad = |_| PageError::of(ErrorKind::BadRequest, RefusalReason::RepeatedParameter).at(tenant);
        let mut form = Form::parse(parameters.as_bytes()).map_err(bad)?;
        let hint = form.take("id_token_hint").map_err(bad)?;
        let client_id = form.take("client_id").map_err(bad)?;
        let uri = form.take("post_logout_redirect_uri").map_err(bad)?;
        let state = form.take("state").map_err(bad)?;
        let hint = match hint {
            Some(hint) => services.engine.id_token_hint(tenant, &hint, now).await?.ok(),
            None => None,
        };
        // §2: the server must verify that `client_id` and the audience of the hint are the same.
        let named = client_id.as_deref().or(hint.as_ref().map(|hint| hint.aud.as_str()));
        let is_consistent = hint.as_ref().is_none_or(|hint| named == Some(hint.aud.as_str()));
        let client = match named.filter(|_| is_consistent) {
            Some(named) => services.authenticator.find_active(&tenant.id, named).await?,
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

    /// Whether the request is in order and its hint is of this very session: then nobody has to be asked.
    fn names(&self, signed_in: &SignedIn) -> bool {
        !self.is_misdirected
            && self
                .hint
                .as_ref()
                .is_some_and(|hint| hint.sid.as_deref() == Some(signed_in.session().id.as_str()))
    }
}

fn with_state(uri: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return uri.to_owned() };
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}state={}", byte_serialize(state.as_bytes()).collect::<String>())
}

/// There is no session any more, or the person stays.
fn finish(
    tenant: &Tenant,
    request: &LogoutRequest,
    is_after_form: bool,
    public_url: &PublicUrl,
) -> HttpResponse {
    let name = request.client.as_ref().map(|client| client.name.clone());
    match (&request.to, is_after_form) {
        (Some(to), true) => {
            let page = Continue { common: common_of(tenant, name, public_url), to: to.clone() };
            respond(StatusCode::OK, &page, Opener::Severed)
        }
        // Without a hint of ours anybody could send people anywhere that some client has registered.
        (Some(to), false) if request.hint.is_some() => {
            no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, to.as_str())).finish()
        }
        (to, _) => {
            let back = to.clone().zip(name).map(|(url, name)| Link { name, url });
            let page = SignedOut { common: common_of(tenant, None, public_url), back };
            respond(StatusCode::OK, &page, Opener::Severed)
        }
    }
}

async fn ask(
    (services, public_url): (&Services, &PublicUrl),
    browser: &Browser<'_>,
    tenant: &Tenant,
    request: &LogoutRequest,
    (signed_in, parameters): (&SignedIn, &str),
    now: Timestamp,
) -> Result<HttpResponse, PageError> {
    let step = FlowStep::SignOut(signed_in.session().id.clone());
    let flow = Flow { parameters: parameters.to_owned(), started: now, step };
    let flow = services.flows.seal(&tenant.id, browser.id(), &flow);
    let account = services.accounts.find_account(&tenant.id, signed_in.account()).await?;
    let page = SignOut {
        common: common_of(tenant, request.client.as_ref().map(|client| client.name.clone()), public_url),
        action: format!("{}/api/v1/tenant/{}/oauth/logout", public_url.path(), tenant.id),
        flow: flow.ok_or_else(|| PageError::too_long(tenant))?,
        account: account.as_ref().and_then(|account| sign_in_name(account)),
    };
    Ok(respond(StatusCode::OK, &page, Opener::Severed))
}
