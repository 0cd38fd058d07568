//! `GET` and `POST …/account/set-password`: the page of a link with which a person sets a password
//! once. A wrong code costs neither a lookup nor a hash, so that guesses cannot overload the
//! server.

use actix_web::http::StatusCode;
use administration::edit::EditError;
use pages::{SetPassword, SetPasswordError, SetPasswordWay};
use protocol::{ErrorCode, RefusalReason};
use sessions::{FlowStep, PersonRequest};

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
    let Visit { services, raw, now, .. } = *visit;
    let (tenant, Fields { code, new_password, .. }) = (&visit.tenant.id, fields);
    // The person may have pasted the whole link.
    let fragment = code.rsplit('#').next().unwrap_or_default();
    let Some(link) = services.administrator.read_password_link(tenant, fragment) else {
        return refuse(visit);
    };
    services.writes.spend_of_person(tenant, link.account(), now).map_err(ServerFailure::TooManyWrites)?;
    let source = raw.address();
    match services.administrator.set_password_by_link(tenant, &link, new_password, source, now).await {
        Ok(()) => Ok(to_own_account(visit, &format!("?{PASSWORD_SET}"))),
        Err(EditError::Invalid(errors)) => {
            let why = errors.into_iter().next().map(|error| error.detail).unwrap_or_default();
            page(visit, code, Some(SetPasswordError::Unfit(why)))
        }
        Err(EditError::Busy | EditError::Hash(_)) => page(visit, code, Some(SetPasswordError::Busy)),
        // The link was already used, or the account is now in a configuration file.
        Err(EditError::NotFound(_) | EditError::Conflict(_)) => refuse(visit),
        Err(error) => Err(error.into()),
    }
}

fn refuse(visit: &Visit<'_>) -> PageResult {
    visit.raw.log(|fields| {
        fields.error = Some(ErrorCode::AccessDenied);
        fields.reason = Some(RefusalReason::SignInFailed);
    });
    page(visit, String::new(), Some(SetPasswordError::Link))
}

fn page(visit: &Visit<'_>, code: String, error: Option<SetPasswordError>) -> PageResult {
    let SealedForm { action, flow } = visit.form("", FlowStep::Account(PersonRequest::Link), visit.now)?;
    let status = match &error {
        None => StatusCode::OK,
        Some(SetPasswordError::Link) => StatusCode::FORBIDDEN,
        Some(SetPasswordError::Unfit(_)) => StatusCode::BAD_REQUEST,
        Some(SetPasswordError::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let way = SetPasswordWay::Link;
    let page = SetPassword { common: visit.common(None), action, flow, way, code, error };
    let mut response = respond(status, &page, Opener::Severed);
    say_when(&mut response);
    Ok(response)
}
