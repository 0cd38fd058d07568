//! `GET` and `POST …/oauth/recover`: a person resets a forgotten password. Every identifier gets the same
//! response at the same time, whether or not it has an account. The person then types the mailed code and a
//! new password here, or opens the mailed link, and signs in with the new password.

use accounts::AccountCode;
use actix_web::http::StatusCode;
use administration::audit::usage::Counter;
use pages::{ErrorKind, Recover, SetPasswordError, SetPasswordWay, SignInMessage};
use protocol::RefusalReason;
use sessions::{FlowStep, RecoveryStep};
use tokio::time::Instant;
use values::{Timestamp, causes};

use super::account::to_own_account;
use super::authorization;
use super::browser::random_value;
use super::outcome::show;
use super::posted::{Fields, Posted};
use super::proceed::{LONGEST_IDENTIFIER, sign_in_page};
use super::set_password::{set_by_code, set_password_page};
use super::visit::{SealedForm, Visit};
use crate::page::{Opener, PASSWORD_SET, PageError, PageRequest, PageResult, respond};

/// The decision of a person who clicks "Forgot password?" in a sign-in form.
pub(super) const RECOVER: &str = "recover";

pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    let visit = Visit::of_navigation(&request).await?;
    let response = ask_page(&visit, "", "")?;
    Ok(visit.finish(response))
}

pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    let (visit, fields, flow) = Posted::read(&mut request).await?.open()?.current()?;
    let FlowStep::Recovery(step) = flow.step else { return Err(Visit::foreign()) };
    let to = &flow.parameters;
    let response = match (step, &*fields.decision) {
        (_, "back") => to_sign_in(&visit, to, None).await?,
        (RecoveryStep::Ask, _) => ask(&visit, to, &fields.identifier).await?,
        (RecoveryStep::Code { identifier, .. }, "again") => ask(&visit, to, &identifier).await?,
        (RecoveryStep::Code { identifier, page }, _) => {
            recover(&visit, to, flow.started, identifier, page, fields).await?
        }
    };
    Ok(visit.finish(response))
}

/// Asks for the identifier. `to` are the parameters of the authorization request to continue; they may be
/// empty.
pub(super) fn ask_page(visit: &Visit<'_>, to: &str, typed: &str) -> PageResult {
    require_offer(visit)?;
    let SealedForm { action, flow } = visit.form(to, FlowStep::Recovery(RecoveryStep::Ask), visit.now)?;
    let identifier = typed.chars().take(LONGEST_IDENTIFIER).collect();
    let page = Recover { common: visit.common(None), action, flow, identifier };
    Ok(respond(StatusCode::OK, &page, Opener::Severed))
}

/// Mails a code, if the identifier has an account that can be recovered.
async fn ask(visit: &Visit<'_>, to: &str, typed: &str) -> PageResult {
    require_offer(visit)?;
    let arrival = Instant::now();
    visit.raw.log(|fields| fields.happened = Some(Counter::RecoveryRequested));
    let (services, page) = (visit.services, random_value());
    let at = visit.code_page(typed, (&page, visit.now));
    // A response with an error would reveal that the identifier has an account.
    if let Err(error) = services.administrator.ask_recovery(services.sign_ins.codes(), at).await? {
        tracing::error!(tenant = %visit.tenant.id, error = %causes(&error), "cannot queue a message");
    }
    services.sign_ins.wait_for_refusal(arrival).await;
    let identifier = typed.trim_ascii().chars().take(LONGEST_IDENTIFIER).collect();
    code_page(visit, to, visit.now, identifier, page, String::new(), None)
}

/// Sets the password if the code is right.
async fn recover(
    visit: &Visit<'_>,
    to: &str,
    began: Timestamp,
    identifier: String,
    page: String,
    fields: Fields,
) -> PageResult {
    require_offer(visit)?;
    let (arrival, services) = (Instant::now(), visit.services);
    let Fields { code: typed, new_password, .. } = fields;
    let at = visit.code_page(&identifier, (&page, began));
    let held: Option<AccountCode> =
        services.administrator.read_recovery_code(services.sign_ins.codes(), at, &typed).await?;
    let error = match held {
        Some(held) => match set_by_code(visit, &held, new_password).await? {
            Ok(()) => {
                visit.raw.log(|fields| fields.happened = Some(Counter::Recovered));
                return to_sign_in(visit, to, Some(SignInMessage::PasswordSet)).await;
            }
            Err(error) => error,
        },
        None => SetPasswordError::Link,
    };
    if error == SetPasswordError::Link {
        visit.log_refusal();
        services.sign_ins.wait_for_refusal(arrival).await;
    }
    let kept = if error == SetPasswordError::Link { String::new() } else { typed };
    code_page(visit, to, began, identifier, page, kept, Some(error))
}

fn code_page(
    visit: &Visit<'_>,
    to: &str,
    began: Timestamp,
    identifier: String,
    page: String,
    code: String,
    error: Option<SetPasswordError>,
) -> PageResult {
    let way = SetPasswordWay::Code { identifier: identifier.clone() };
    let form = visit.form(to, FlowStep::Recovery(RecoveryStep::Code { identifier, page }), began)?;
    Ok(set_password_page(visit, form, way, code, error))
}

/// Continues the sign-in in which the person clicked "Forgot password?".
async fn to_sign_in(visit: &Visit<'_>, to: &str, message: Option<SignInMessage>) -> PageResult {
    if to.is_empty() {
        let query = message.map(|_| format!("?{PASSWORD_SET}")).unwrap_or_default();
        return Ok(to_own_account(visit, &query));
    }
    match authorization::read(visit, to, grants::PushedUse::Continued).await? {
        Ok(authorization) => sign_in_page(visit, &authorization, String::new(), message),
        Err(refused) => Ok(show(&refused, visit.public_url)),
    }
}

fn require_offer(visit: &Visit<'_>) -> PageResult<()> {
    if visit.offers_recovery() {
        return Ok(());
    }
    Err(PageError::from_kind(ErrorKind::NotFound, RefusalReason::StrategyNotEnabled))
}
