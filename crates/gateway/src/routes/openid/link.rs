//! `GET` and `POST …/account/set-password` and `…/oauth/verify`: the page of a link with which a person sets
//! a password, confirms an address or, with `?undo`, restores one. Opening the page changes nothing, because
//! mail servers open links, too. The code is in the fragment of the link, which browsers do not send. A wrong
//! code costs neither a lookup nor a hash, so that guesses cannot overload the server.

use accounts::CodePurpose;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use pages::{Done, FormError, Outcome};
use sessions::{FlowStep, PersonRequest};

use super::account::to_own_account;
use super::mailed_code::{code_page, set_address, set_password};
use super::posted::{Fields, Posted};
use super::visit::{VERIFY_PATH, Visit};
use crate::page::{Opener, PASSWORD_SET, PageRequest, PageResult, RECOVERY_PATH, respond};

/// The person has opened the link.
pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    let visit = Visit::of_navigation(&request).await?;
    let step = match (visit.raw.path().ends_with(VERIFY_PATH), visit.raw.query()) {
        (false, _) => PersonRequest::Link,
        (true, "undo") => PersonRequest::UndoLink,
        (true, _) => PersonRequest::AddressLink,
    };
    let response = code_page(&visit, "", FlowStep::Account(step), visit.now, String::new(), None)?;
    Ok(visit.finish(response))
}

pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    let (visit, fields, flow) = Posted::read(&mut request).await?.open()?.current()?;
    let FlowStep::Account(step) = &flow.step else { return Err(Visit::foreign()) };
    let Fields { code, new_password, .. } = fields;
    // The person may have pasted the whole link.
    let fragment = code.rsplit('#').next().unwrap_or_default();
    let held = visit.services.administrator.read_code(&visit.tenant.id, fragment);
    let of = held.as_ref().map(|held| (held, held.purpose()));
    let set = match (step, of) {
        (PersonRequest::Link, Some((held, purpose))) if purpose.address().is_none() => {
            set_password(&visit, held, new_password).await?
        }
        (PersonRequest::AddressLink, Some((held, CodePurpose::Verification(_))))
        | (PersonRequest::UndoLink, Some((held, CodePurpose::Undo(_)))) => set_address(&visit, held).await?,
        (PersonRequest::Link | PersonRequest::AddressLink | PersonRequest::UndoLink, _) => {
            Err(FormError::Refused)
        }
        _ => return Err(Visit::foreign()),
    };
    let response = match set {
        Ok(()) => done(&visit, step),
        Err(error) => code_page(&visit, "", flow.step, visit.now, code, Some(error))?,
    };
    Ok(visit.finish(response))
}

/// With a new password, the person signs in at the account page.
fn done(visit: &Visit<'_>, step: &PersonRequest) -> HttpResponse {
    let outcome = match step {
        PersonRequest::Link => return to_own_account(visit, &format!("?{PASSWORD_SET}")),
        PersonRequest::UndoLink => {
            let recover = visit.public_url.path_of(&visit.tenant.id, RECOVERY_PATH);
            Outcome::AddressRestored(visit.offers_recovery().then_some(recover))
        }
        _ => Outcome::AddressConfirmed,
    };
    respond(StatusCode::OK, &Done { common: visit.common(None), outcome }, Opener::Severed)
}
