//! `POST …/oauth/sign-in`: a form of a sign-in comes back. What it requests and whom it is for is sealed inside it.

use actix_web::HttpResponse;
use actix_web::web::Data;
use grants::PushedUse;
use pages::{ErrorKind, SignInMessage};
use protocol::{AuthorizationError, AuthorizationErrorCode, Form, RefusalReason, Secret, Timestamp};
use sessions::{Flow, FlowError, FlowStep, SessionId, SessionWrite};
use tenancy::Tenant;

use accounts::SignInError;

use super::authorization::{self, Authorization};
use super::browser::Browser;
use super::outcome::{send, show};
use super::proceed::{Progress, proceed, sign_in_page};
use crate::Services;
use crate::cookies::Cookies;
use crate::fetch_metadata::{OwnOrigin, judge_form};
use crate::options::PublicUrl;
use crate::page_error::PageError;
use crate::raw_request::RawRequest;

/// The fields of the forms.
pub(super) struct Fields {
    pub(super) flow: String,
    pub(super) user_code: String,
    pub(super) identifier: String,
    password: Option<Secret>,
    pub(super) decision: String,
}

/// What the handler works with.
type Context<'a> = (&'a Services, &'a PublicUrl);

pub(crate) async fn sign_in(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    mut raw: RawRequest,
) -> Result<HttpResponse, PageError> {
    let tenant = services.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let foreign = |kind| PageError::of(kind, RefusalReason::ForeignForm).at(&tenant);
    judge_form(raw.headers(), &OwnOrigin::of(&public_url.0)).map_err(foreign)?;
    let body = raw.form().await?;
    let fields = Fields::take(&body).ok_or_else(|| foreign(ErrorKind::ForeignForm))?;
    let now = (services.clock)();
    let browser = Browser::of_form(Cookies::of(&public_url.0), raw.headers());
    let mut browser = browser.ok_or_else(|| foreign(ErrorKind::ForeignForm))?;
    let flow = match services.flows.open(&tenant.id, browser.id(), &fields.flow, now) {
        Ok(flow) => flow,
        Err(FlowError::Foreign | FlowError::Expired) => return Err(foreign(ErrorKind::ForeignForm)),
    };
    let used = PushedUse::Continued;
    let authorization = match authorization::read(&services, &tenant, &flow.parameters, used, now).await? {
        Ok(authorization) => authorization,
        // The client has changed since.
        Err(refused) => return Ok(show(&refused, &public_url)),
    };
    raw.log(|log| log.client = Some(authorization.to.client.id.clone()));
    let context = (&**services, &**public_url);
    let response = match &flow.step {
        FlowStep::SignIn => {
            check_password(context, &mut browser, &authorization, (&flow, fields), &raw, now).await?
        }
        FlowStep::Consent(session) => {
            decide(context, &browser, &authorization, (&flow, session), &fields, now).await?
        }
        FlowStep::SignOut(_) | FlowStep::DeviceCode | FlowStep::DeviceSignIn | FlowStep::DeviceConfirm(_) => {
            return Err(foreign(ErrorKind::ForeignForm));
        }
    };
    Ok(browser.finish(response))
}

/// Goes on with the request once the person has signed in.
async fn check_password(
    context: Context<'_>,
    browser: &mut Browser<'_>,
    authorization: &Authorization,
    (flow, fields): (&Flow, Fields),
    raw: &RawRequest,
    now: Timestamp,
) -> Result<HttpResponse, PageError> {
    let (services, _) = context;
    let identifier = fields.identifier.clone();
    match sign_in_with_password(services, browser, &authorization.to.tenant, fields, raw, now).await? {
        Ok(write) => {
            let signed_in = write.signed_in();
            let progress = Progress { began: Some(flow.started), begun: Some(&write), is_allowed: false };
            proceed(context, browser, authorization, Some(&signed_in), &progress, now).await
        }
        Err(message) => sign_in_page(context, browser, authorization, identifier, Some(message), now),
    }
}

/// Checks identifier and password. The browser has the cookie of the session from then on, which is to be written.
pub(super) async fn sign_in_with_password(
    services: &Services,
    browser: &mut Browser<'_>,
    tenant: &Tenant,
    fields: Fields,
    raw: &RawRequest,
    now: Timestamp,
) -> Result<Result<SessionWrite, SignInMessage>, PageError> {
    let Fields { identifier, password, .. } = fields;
    let password = password.unwrap_or_else(|| Secret::new(String::new()));
    let mut known = browser.known(services, now);
    let known_accounts = known.accounts_of(&tenant.id);
    let checked = services
        .sign_ins
        .sign_in_with_password(&tenant.id, &identifier, password, &raw.source(), &known_accounts, now)
        .await;
    match checked {
        Ok((account, authentication)) => {
            known.remember(&tenant.id, &account.id, now);
            browser.keep_known(services, &known).map_err(|error| PageError::fault(&error))?;
            let before = browser.signed_in(services, tenant, now).await?;
            let agent = raw.user_agent();
            let (write, token) = services.sessions.begin(&authentication, before.as_ref(), agent, now);
            browser.keep_session(&write, &token).map_err(|error| PageError::fault(&error))?;
            Ok(Ok(write))
        }
        Err(SignInError::Refused) => Ok(Err(SignInMessage::Refused)),
        Err(SignInError::Busy) => Ok(Err(SignInMessage::Busy)),
        Err(SignInError::Store(error)) => Err(error.into()),
    }
}

/// The person allows or denies what the client requests, in the session that was asked.
async fn decide(
    context: Context<'_>,
    browser: &Browser<'_>,
    authorization: &Authorization,
    (flow, session): (&Flow, &SessionId),
    fields: &Fields,
    now: Timestamp,
) -> Result<HttpResponse, PageError> {
    let (services, public_url) = context;
    let to = &authorization.to;
    let signed_in = browser.signed_in(services, &to.tenant, now).await?;
    // Another person may have signed in since: the page asks again.
    let is_same = signed_in.as_ref().is_some_and(|signed_in| signed_in.session().id == *session);
    if is_same && fields.decision == "deny" {
        let denied =
            AuthorizationError::new(AuthorizationErrorCode::AccessDenied, "The person denied the request");
        return Ok(send(to, &to.response(Err(denied)), true, public_url));
    }
    let progress = Progress {
        began: Some(flow.started),
        begun: None,
        is_allowed: is_same && fields.decision == "allow",
    };
    proceed(context, browser, authorization, signed_in.as_ref(), &progress, now).await
}

impl Fields {
    pub(super) fn take(body: &[u8]) -> Option<Self> {
        let mut form = Form::parse(body).ok()?;
        let mut text = |name| Some(form.take(name).ok()?.unwrap_or_default().into_owned());
        let (flow, identifier, decision) = (text("flow")?, text("identifier")?, text("decision")?);
        let user_code = text("user_code")?;
        let password = form.take_secret("password").ok()?;
        Some(Self { flow, user_code, identifier, password, decision })
    }
}
