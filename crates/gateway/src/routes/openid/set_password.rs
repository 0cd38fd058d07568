//! `GET` and `POST …/account/set-password`: the page of a link with which a person sets a password
//! once. A wrong code costs neither a lookup nor a hash, so that guesses cannot overload the
//! server.

use accounts::AccountCode;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use administration::edit::EditError;
use pages::{SetPassword, SetPasswordError, SetPasswordWay};
use sessions::{FlowStep, PersonRequest};
use values::Secret;

use super::account::to_own_account;
use super::posted::{Fields, Posted};
use super::proceed::say_when;
use super::visit::{SealedForm, Visit};
use crate::page::{Opener, PASSWORD_SET, PageRequest, PageResult, respond};
use crate::request::ServerFailure;

/// The person has opened the link.
pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    let visit = Visit::of_navigation(&request).await?;
    let response = page(&visit, String::new(), None)?;
    Ok(visit.finish(response))
}

pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    let (visit, fields, flow) = Posted::read(&mut request).await?.open()?.current()?;
    if flow.step != FlowStep::Account(PersonRequest::Link) {
        return Err(Visit::foreign());
    }
    let response = set(&visit, fields).await?;
    Ok(visit.finish(response))
}

/// Redirects to the account page, where the person signs in with the new password.
async fn set(visit: &Visit<'_>, fields: Fields) -> PageResult {
    let Fields { code, new_password, .. } = fields;
    // The person may have pasted the whole link.
    let fragment = code.rsplit('#').next().unwrap_or_default();
    let held = visit.services.administrator.read_code(&visit.tenant.id, fragment);
    let Some(held) = held.filter(|held| held.purpose().sets_password()) else { return refuse(visit) };
    match set_by_code(visit, &held, new_password).await? {
        Ok(()) => Ok(to_own_account(visit, &format!("?{PASSWORD_SET}"))),
        Err(SetPasswordError::Link) => refuse(visit),
        Err(error) => page(visit, code, Some(error)),
    }
}

/// Sets the password of the code's account.
pub(super) async fn set_by_code(
    visit: &Visit<'_>,
    code: &AccountCode,
    new_password: Option<Secret>,
) -> PageResult<Result<(), SetPasswordError>> {
    let Visit { services, raw, now, .. } = *visit;
    let tenant = &visit.tenant.id;
    services.writes.spend_of_person(tenant, code.account(), now).map_err(ServerFailure::TooManyWrites)?;
    let administrator = &services.administrator;
    match administrator.set_password_by_code(tenant, code, new_password, raw.address(), now).await {
        Ok(()) => Ok(Ok(())),
        Err(EditError::Invalid(errors)) => {
            let why = errors.into_iter().next().map(|error| error.detail).unwrap_or_default();
            Ok(Err(SetPasswordError::Unfit(why)))
        }
        Err(EditError::Busy | EditError::Hash(_)) => Ok(Err(SetPasswordError::Busy)),
        // The code was already used, or the account is now in a configuration file.
        Err(EditError::NotFound(_) | EditError::Conflict(_)) => Ok(Err(SetPasswordError::Link)),
        Err(error) => Err(error.into()),
    }
}

fn refuse(visit: &Visit<'_>) -> PageResult {
    visit.log_refusal();
    page(visit, String::new(), Some(SetPasswordError::Link))
}

fn page(visit: &Visit<'_>, code: String, error: Option<SetPasswordError>) -> PageResult {
    let form = visit.form("", FlowStep::Account(PersonRequest::Link), visit.now)?;
    Ok(set_password_page(visit, form, SetPasswordWay::Link, code, error))
}

/// The page that asks for a code and a new password.
pub(super) fn set_password_page(
    visit: &Visit<'_>,
    SealedForm { action, flow }: SealedForm,
    way: SetPasswordWay,
    code: String,
    error: Option<SetPasswordError>,
) -> HttpResponse {
    let status = match &error {
        None => StatusCode::OK,
        Some(SetPasswordError::Link) => StatusCode::FORBIDDEN,
        Some(SetPasswordError::Unfit(_)) => StatusCode::BAD_REQUEST,
        Some(SetPasswordError::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let page = SetPassword { common: visit.common(None), action, flow, code, error, way };
    let mut response = respond(status, &page, Opener::Severed);
    say_when(&mut response);
    response
}
