//! `GET` and `POST …/oauth/recover`: a person resets a forgotten password. Every identifier gets the same
//! response at the same time, whether or not it has an account. The person then types the mailed code and a
//! new password here, or opens the mailed link, and signs in with the new password.

use actix_web::http::StatusCode;
use administration::audit::usage::Counter;
use pages::{FormError, Recover, SignInMessage};
use sessions::{FlowStep, RecoveryStep};
use tokio::time::Instant;
use values::{Timestamp, causes};

use super::account::to_own_account;
use super::authorization;
use super::browser::random_value;
use super::mailed_code::{code_page, set_password};
use super::outcome::show;
use super::posted::{Fields, Posted};
use super::proceed::{LONGEST_IDENTIFIER, sign_in_page};
use super::visit::Visit;
use crate::page::{Opener, PASSWORD_SET, PageRequest, PageResult, respond};

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
            recover(&visit, to, flow.started, (identifier, page), fields).await?
        }
    };
    Ok(visit.finish(response))
}

/// Asks for the identifier. `to` are the parameters of the authorization request to continue; they may be
/// empty.
pub(super) fn ask_page(visit: &Visit<'_>, to: &str, typed: &str) -> PageResult {
    visit.require_offer(visit.offers_recovery())?;
    let form = visit.form(to, FlowStep::Recovery(RecoveryStep::Ask), visit.now)?;
    let identifier = typed.chars().take(LONGEST_IDENTIFIER).collect();
    let page = Recover { common: visit.common(None), form, identifier };
    Ok(respond(StatusCode::OK, &page, Opener::Severed))
}

/// Mails a code, if the identifier has an account that can be recovered.
async fn ask(visit: &Visit<'_>, to: &str, typed: &str) -> PageResult {
    visit.require_offer(visit.offers_recovery())?;
    let arrival = Instant::now();
    visit.raw.log(|fields| fields.happened = Some(Counter::RecoveryRequested));
    let (services, page) = (visit.services, random_value());
    let at = visit.typed_at(typed, (&page, visit.now));
    // A response with an error would reveal that the identifier has an account.
    if let Err(error) = services.administrator.ask_recovery(services.sign_ins.codes(), at).await? {
        tracing::error!(tenant = %visit.tenant.id, error = %causes(&error), "cannot queue a message");
    }
    services.sign_ins.wait_for_refusal(arrival).await;
    let identifier = typed.trim_ascii().chars().take(LONGEST_IDENTIFIER).collect();
    let step = RecoveryStep::Code { identifier, page };
    code_page(visit, to, FlowStep::Recovery(step), visit.now, String::new(), None)
}

/// Sets the password if the code is right.
async fn recover(
    visit: &Visit<'_>,
    to: &str,
    began: Timestamp,
    (identifier, page): (String, String),
    fields: Fields,
) -> PageResult {
    visit.require_offer(visit.offers_recovery())?;
    let (arrival, services) = (Instant::now(), visit.services);
    let Fields { code, new_password, .. } = fields;
    let (codes, at) = (services.sign_ins.codes(), visit.typed_at(&identifier, (&page, began)));
    let set = match services.administrator.read_typed_code(codes, at, None, &code).await? {
        Some(held) => set_password(visit, &held, new_password).await?,
        None => Err(FormError::Refused),
    };
    let Err(error) = set else {
        visit.raw.log(|fields| fields.happened = Some(Counter::Recovered));
        return to_sign_in(visit, to, Some(SignInMessage::PasswordSet)).await;
    };
    if error == FormError::Refused {
        services.sign_ins.wait_for_refusal(arrival).await;
    }
    let step = RecoveryStep::Code { identifier, page };
    code_page(visit, to, FlowStep::Recovery(step), began, code, Some(error))
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
