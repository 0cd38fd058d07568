//! `GET` and `POST …/device`: a person types the code that a device shows, signs in, and decides (RFC 8628 §3.3). Each of the pages carries the
//! code sealed to the next.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use grants::{DeviceCode, TypedCode};
use pages::{
    DeviceCode as CodePage, DeviceCodeMessage, DeviceConfirm, DeviceDone, DeviceOutcome, ErrorKind,
    IdentifierKind, ScopeLine, SignIn, SignInMessage,
};
use protocol::{Form, GrantType, RefusalReason, Timestamp, UserCode};
use registry::Client;
use sessions::{Flow, FlowStep, SessionId, SignedIn};
use tenancy::Tenant;

use super::authorization::LONGEST;
use super::browser::Browser;
use super::proceed::sign_in_name;
use super::sign_in::{Fields, sign_in_with_password};
use crate::Services;
use crate::cookies::Cookies;
use crate::fetch_metadata::{OwnOrigin, judge_form, judge_navigation};
use crate::options::PublicUrl;
use crate::page::{Opener, common_of, respond};
use crate::page_error::PageError;
use crate::raw_request::RawRequest;

/// What the steps of one request share.
struct Context<'a> {
    services: &'a Services,
    public_url: &'a PublicUrl,
    tenant: &'a Tenant,
    now: Timestamp,
}

/// A device that waits, and its client.
struct Waiting {
    code: Box<DeviceCode>,
    client: Arc<Client>,
    user_code: String,
}

/// The person comes with or without a code. Nothing is looked up by a navigation.
pub(crate) async fn navigate(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    raw: RawRequest,
) -> Result<HttpResponse, PageError> {
    let tenant = services.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    judge_navigation(raw.headers()).map_err(|kind| PageError::of(kind, RefusalReason::NotANavigation))?;
    if raw.query().len() > LONGEST {
        return Err(PageError::too_long(&tenant));
    }
    let bad = |_| PageError::of(ErrorKind::BadRequest, RefusalReason::RepeatedParameter).at(&tenant);
    let mut form = Form::parse(raw.query().as_bytes()).map_err(bad)?;
    let typed = form.take("user_code").map_err(bad)?;
    let typed = typed.and_then(|typed| UserCode::parse(&typed)).map(|code| code.to_string());
    let browser = Browser::of_navigation(Cookies::of(&public_url.0), raw.headers());
    let now = (services.clock)();
    let context = Context { services: &services, public_url: &public_url, tenant: &tenant, now };
    let response = context.code_page(&browser, typed.unwrap_or_default(), None)?;
    Ok(browser.finish(response))
}

/// A form of one of the pages.
pub(crate) async fn post(
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
    let flow = services.flows.open(&tenant.id, browser.id(), &fields.flow, now);
    let Flow { parameters, step, .. } = flow.map_err(|_| foreign(ErrorKind::ForeignForm))?;
    let context = Context { services: &services, public_url: &public_url, tenant: &tenant, now };
    let typed = if step == FlowStep::DeviceCode { &fields.user_code } else { &parameters };
    let response = match context.find(&browser, typed, &raw).await? {
        Err(message) => match step {
            FlowStep::SignIn | FlowStep::Consent(_) | FlowStep::SignOut(_) => {
                return Err(foreign(ErrorKind::ForeignForm));
            }
            FlowStep::DeviceCode | FlowStep::DeviceSignIn | FlowStep::DeviceConfirm(_) => {
                context.code_page(&browser, typed.chars().take(16).collect(), Some(message))?
            }
        },
        Ok(waiting) => {
            raw.log(|log| log.client = Some(waiting.client.id.clone()));
            match step {
                FlowStep::DeviceCode => context.ask(&browser, &waiting).await?,
                FlowStep::DeviceSignIn => context.sign_in(&mut browser, &waiting, fields, &raw).await?,
                FlowStep::DeviceConfirm(session) => {
                    context.decide(&browser, &waiting, &session, &fields.decision).await?
                }
                FlowStep::SignIn | FlowStep::Consent(_) | FlowStep::SignOut(_) => {
                    return Err(foreign(ErrorKind::ForeignForm));
                }
            }
        }
    };
    Ok(browser.finish(response))
}

impl Context<'_> {
    /// The device with this code, whose client may still use the grant.
    async fn find(
        &self,
        browser: &Browser<'_>,
        typed: &str,
        raw: &RawRequest,
    ) -> Result<Result<Waiting, DeviceCodeMessage>, PageError> {
        let Self { services, tenant, now, .. } = self;
        let from = (browser.id(), &raw.source());
        let code = match services.devices.find(&tenant.id, typed, from, *now).await? {
            TypedCode::Found(code) => code,
            TypedCode::Unknown => return Ok(Err(DeviceCodeMessage::Unknown)),
            TypedCode::TooMany => return Ok(Err(DeviceCodeMessage::TooMany)),
        };
        let client = services.authenticator.find_active(&tenant.id, code.client.as_str()).await?;
        let client = client.filter(|client| client.grant_types.contains(&GrantType::DeviceCode));
        let user_code = UserCode::parse(typed).map(|code| code.to_string()).unwrap_or_default();
        Ok(client.map(|client| Waiting { code, client, user_code }).ok_or(DeviceCodeMessage::Unknown))
    }

    /// Asks for the code.
    fn code_page(
        &self,
        browser: &Browser<'_>,
        user_code: String,
        error: Option<DeviceCodeMessage>,
    ) -> Result<HttpResponse, PageError> {
        let page = CodePage {
            common: common_of(self.tenant, None, self.public_url),
            action: self.action(),
            flow: self.seal(browser, String::new(), FlowStep::DeviceCode)?,
            user_code,
            error,
        };
        // A refused code is no success for a program that reads statuses; browsers show the page all the same.
        let status = match error {
            None => StatusCode::OK,
            Some(DeviceCodeMessage::Unknown) => StatusCode::FORBIDDEN,
            Some(DeviceCodeMessage::TooMany) => StatusCode::TOO_MANY_REQUESTS,
        };
        Ok(respond(status, &page, Opener::Severed))
    }

    /// Asks the person who is signed in to decide, or asks who is there.
    async fn ask(&self, browser: &Browser<'_>, waiting: &Waiting) -> Result<HttpResponse, PageError> {
        match browser.signed_in(self.services, self.tenant, self.now).await? {
            Some(signed_in) => self.confirm_page(browser, waiting, &signed_in).await,
            None => self.sign_in_page(browser, waiting, String::new(), None),
        }
    }

    /// Checks identifier and password. The person is signed in from then on, and decides next.
    async fn sign_in(
        &self,
        browser: &mut Browser<'_>,
        waiting: &Waiting,
        fields: Fields,
        raw: &RawRequest,
    ) -> Result<HttpResponse, PageError> {
        let identifier = fields.identifier.clone();
        match sign_in_with_password(self.services, browser, self.tenant, fields, raw, self.now).await? {
            Ok(begun) => {
                self.services.sessions.write(&begun).await?;
                self.confirm_page(browser, waiting, &begun.signed_in()).await
            }
            Err(message) => self.sign_in_page(browser, waiting, identifier, Some(message)),
        }
    }

    /// Writes the decision, which only the session that was asked can take in favour of the device.
    async fn decide(
        &self,
        browser: &Browser<'_>,
        waiting: &Waiting,
        session: &SessionId,
        decision: &str,
    ) -> Result<HttpResponse, PageError> {
        let Self { services, tenant, now, .. } = self;
        let signed_in = browser.signed_in(services, tenant, *now).await?;
        let signed_in = signed_in.filter(|signed_in| signed_in.session().id == *session);
        let (allowed_by, outcome) = match (decision, &signed_in) {
            ("allow", Some(signed_in)) => (Some(signed_in), DeviceOutcome::Connected),
            ("deny", _) => (None, DeviceOutcome::Refused),
            _ => return self.ask(browser, waiting).await,
        };
        if !services.devices.decide(&waiting.code, allowed_by, *now).await? {
            return self.code_page(browser, waiting.user_code.clone(), Some(DeviceCodeMessage::Unknown));
        }
        let page = DeviceDone { common: common_of(tenant, None, self.public_url), outcome };
        Ok(respond(StatusCode::OK, &page, Opener::Severed))
    }

    fn sign_in_page(
        &self,
        browser: &Browser<'_>,
        waiting: &Waiting,
        identifier: String,
        error: Option<SignInMessage>,
    ) -> Result<HttpResponse, PageError> {
        let page = SignIn {
            common: common_of(self.tenant, Some(waiting.client.name.clone()), self.public_url),
            action: self.action(),
            flow: self.seal(browser, waiting.user_code.clone(), FlowStep::DeviceSignIn)?,
            identifier_kind: IdentifierKind::Either,
            identifier,
            offers_to_stay: false,
            error,
        };
        let status = if error.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
        Ok(respond(status, &page, Opener::Severed))
    }

    async fn confirm_page(
        &self,
        browser: &Browser<'_>,
        waiting: &Waiting,
        signed_in: &SignedIn,
    ) -> Result<HttpResponse, PageError> {
        let Waiting { code, client, user_code } = waiting;
        let account = self.services.accounts.find_account(&self.tenant.id, signed_in.account()).await?;
        let name = account.as_ref().and_then(|account| sign_in_name(account));
        let step = FlowStep::DeviceConfirm(signed_in.session().id.clone());
        let line = |name: &str| ScopeLine { name: name.to_owned(), description: String::new() };
        let page = DeviceConfirm {
            common: common_of(self.tenant, Some(client.name.clone()), self.public_url),
            action: self.action(),
            flow: self.seal(browser, user_code.clone(), step)?,
            account: name.unwrap_or_else(|| signed_in.account().to_string()),
            user_code: user_code.clone(),
            requested_from: code.requested_from.clone(),
            requested_at: minute(code.created_at),
            scopes: code.granted.scopes().map(line).collect(),
        };
        Ok(respond(StatusCode::OK, &page, Opener::Severed))
    }

    /// Where the forms lead.
    fn action(&self) -> String {
        format!("{}/api/v1/tenant/{}/device", self.public_url.path(), self.tenant.id)
    }

    fn seal(&self, browser: &Browser<'_>, parameters: String, step: FlowStep) -> Result<String, PageError> {
        let flow = Flow { parameters, started: self.now, step };
        let sealed = self.services.flows.seal(&self.tenant.id, browser.id(), &flow);
        sealed.ok_or_else(|| PageError::too_long(self.tenant))
    }
}

/// A time for people, such as `2026-11-22 02:40 UTC`.
fn minute(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.get(..5).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_to_the_minute() {
        assert_eq!(minute(Timestamp::from_seconds(1_767_225_659)), "2026-01-01 00:00 UTC");
    }
}
