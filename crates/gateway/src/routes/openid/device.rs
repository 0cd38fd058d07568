//! `GET` and `POST …/device`: a person types the code on a device's screen, signs in and decides
//! (RFC 8628 §3.3). Each page passes the sealed code to the next one.

use std::sync::Arc;

use actix_web::http::StatusCode;
use grants::{DeviceCode, OneTime, TypedCode};
use pages::{
    DeviceCodeMessage, DeviceCodePage as CodePage, DeviceConfirm, Done, ErrorKind, MomentValue, Outcome,
    SignInMessage,
};
use protocol::{Form, GrantType, RefusalReason, UserCode};
use registry::Client;
use sessions::{DeviceStep, FlowStep, SessionId, SignedIn};

use super::authorization::LONGEST;
use super::posted::{Fields, Posted};
use super::proceed::sign_in_form;
use super::recover;
use super::recover::RECOVER;
use super::scope_lines::scope_lines;
use super::sign_in::sign_in_with_password;
use super::visit::Visit;
use crate::page::{Opener, PageError, PageRequest, PageResult, respond};

struct WaitingDevice {
    code: Box<OneTime<DeviceCode>>,
    client: Arc<Client>,
    user_code: String,
}

/// Shows the page, with the code of the query if there is one. Does not look the code up.
pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    let visit = Visit::of_navigation(&request).await?;
    let query = request.raw.query();
    if query.len() > LONGEST {
        return Err(PageError::too_long());
    }
    let bad = |_| PageError::from_kind(ErrorKind::BadRequest, RefusalReason::RepeatedParameter);
    let mut form = Form::parse(query.as_bytes()).map_err(bad)?;
    let typed = form.take("user_code").map_err(bad)?;
    let typed = typed.and_then(|typed| UserCode::parse(&typed)).map(|code| code.to_string());
    let response = code_page(&visit, typed.unwrap_or_default(), None)?;
    Ok(visit.finish(response))
}

pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    let (mut visit, fields, flow) = Posted::read(&mut request).await?.open()?.current()?;
    let FlowStep::Device(step) = flow.step else { return Err(Visit::foreign()) };
    if step == DeviceStep::SignIn && fields.decision == RECOVER {
        // The person types the code of the device again afterwards.
        let response = recover::ask_page(&visit, "", &fields.identifier)?;
        return Ok(visit.finish(response));
    }
    let typed = if step == DeviceStep::Code { &fields.user_code } else { &flow.parameters };
    let response = match (find(&visit, typed).await?, step) {
        (Err(message), _) => code_page(&visit, typed.chars().take(16).collect(), Some(message))?,
        (Ok(waiting), DeviceStep::Code) => ask(&visit, &waiting).await?,
        (Ok(waiting), DeviceStep::SignIn) => sign_in(&mut visit, &waiting, fields).await?,
        (Ok(waiting), DeviceStep::Confirm(session)) => {
            decide(&visit, &waiting, &session, &fields.decision).await?
        }
    };
    Ok(visit.finish(response))
}

/// Finds the device. Its client must still be registered for the device grant.
async fn find(visit: &Visit<'_>, typed: &str) -> PageResult<Result<WaitingDevice, DeviceCodeMessage>> {
    let Visit { services, tenant, now, .. } = visit;
    let (browser, source) = (visit.browser.id(), visit.raw.source());
    let history = visit.browser.known(services, *now).history_at(&tenant.id);
    let code = match services
        .authorizations
        .devices()
        .find(&tenant.id, typed, browser, &source, &history, *now)
        .await?
    {
        TypedCode::Found(code) => code,
        TypedCode::Unknown => return Ok(Err(DeviceCodeMessage::Unknown)),
        TypedCode::TooMany => return Ok(Err(DeviceCodeMessage::TooMany)),
    };
    let client = services.tokens.authenticator.find_active(&tenant.id, code.client.as_str()).await?;
    let client = client.filter(|client| client.grant_types.contains(&GrantType::DeviceCode));
    let Some(client) = client else { return Ok(Err(DeviceCodeMessage::Unknown)) };
    visit.log_client(&client);
    let user_code = UserCode::parse(typed).map(|code| code.to_string()).unwrap_or_default();
    Ok(Ok(WaitingDevice { code, client, user_code }))
}

fn code_page(visit: &Visit<'_>, user_code: String, error: Option<DeviceCodeMessage>) -> PageResult {
    let form = form(visit, "", DeviceStep::Code)?;
    let page = CodePage { common: visit.common(None), form, user_code, error };
    // Programs that test status codes must not mistake a refused code for a success. Browsers show
    // the page with any status.
    let status = match error {
        None => StatusCode::OK,
        Some(DeviceCodeMessage::Unknown) => StatusCode::FORBIDDEN,
        Some(DeviceCodeMessage::TooMany) => StatusCode::TOO_MANY_REQUESTS,
    };
    Ok(respond(status, &page, Opener::Severed))
}

/// If nobody is signed in, shows the sign-in page first.
async fn ask(visit: &Visit<'_>, waiting: &WaitingDevice) -> PageResult {
    match visit.signed_in().await? {
        Some(signed_in) => confirm_page(visit, waiting, &signed_in).await,
        None => sign_in_page(visit, waiting, String::new(), None),
    }
}

/// The next page asks for the decision.
async fn sign_in(visit: &mut Visit<'_>, waiting: &WaitingDevice, fields: Fields) -> PageResult {
    let identifier = fields.identifier.clone();
    let before = visit.signed_in().await?;
    match sign_in_with_password(visit, before.as_ref(), fields).await? {
        Ok(begun) if visit.write_session(&begun).await? => {
            confirm_page(visit, waiting, &begun.signed_in()).await
        }
        Ok(_) => sign_in_page(visit, waiting, identifier, None),
        Err(message) => sign_in_page(visit, waiting, identifier, Some(message)),
    }
}

/// Only the session that saw the question can allow the device.
async fn decide(
    visit: &Visit<'_>,
    waiting: &WaitingDevice,
    session: &SessionId,
    decision: &str,
) -> PageResult {
    let signed_in = visit.signed_in().await?.filter(|signed_in| signed_in.session().id == *session);
    let (allowed_by, outcome) = match (decision, &signed_in) {
        ("allow", Some(signed_in)) => (Some(signed_in), Outcome::DeviceConnected),
        ("deny", _) => (None, Outcome::DeviceRefused),
        _ => return ask(visit, waiting).await,
    };
    if !visit.services.authorizations.devices().decide(&waiting.code, allowed_by, visit.now).await? {
        return code_page(visit, waiting.user_code.clone(), Some(DeviceCodeMessage::Unknown));
    }
    let page = Done { common: visit.common(None), outcome };
    Ok(respond(StatusCode::OK, &page, Opener::Severed))
}

fn sign_in_page(
    visit: &Visit<'_>,
    waiting: &WaitingDevice,
    identifier: String,
    error: Option<SignInMessage>,
) -> PageResult {
    let form = form(visit, &waiting.user_code, DeviceStep::SignIn)?;
    // No client opened this window: the person typed its address.
    Ok(sign_in_form(visit, Some(&waiting.client), Opener::Severed, form, identifier, error))
}

async fn confirm_page(
    visit: &Visit<'_>,
    WaitingDevice { code, client, user_code }: &WaitingDevice,
    signed_in: &SignedIn,
) -> PageResult {
    let account = visit.shown_name(signed_in).await?;
    let step = DeviceStep::Confirm(signed_in.session().id.clone());
    let form = form(visit, user_code, step)?;
    let common = visit.common(Some(client));
    let apis = code.granted.apis(client);
    let page = DeviceConfirm {
        apis: apis.to_vec(),
        scopes: scope_lines(&visit.tenant, apis, code.granted.scopes(), common.language),
        common,
        form,
        account,
        user_code: user_code.clone(),
        requested_from: code.requested_from.clone(),
        requested_at: MomentValue::utc(code.created_at.to_rfc3339()),
    };
    Ok(respond(StatusCode::OK, &page, Opener::Severed))
}

fn form(visit: &Visit<'_>, user_code: &str, step: DeviceStep) -> PageResult<pages::SealedForm> {
    visit.form(user_code, FlowStep::Device(step), visit.now)
}
