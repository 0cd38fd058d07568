//! `GET` and `POST …/oauth/verify`: the page of a mailed link that confirms an address or, with `?undo`,
//! restores one. Opening the page changes nothing, because mail servers open links, too. The code is in the
//! fragment of the link, which browsers do not send.

use accounts::{AccountCode, CodePurpose};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use administration::edit::EditError;
use pages::{AddressDone, ConfirmAddress, ConfirmWay};
use sessions::{FlowStep, PersonRequest};

use super::posted::Posted;
use super::visit::{SealedForm, Visit};
use crate::page::{Opener, PageRequest, PageResult, RECOVERY_PATH, respond};
use crate::request::ServerFailure;

pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    let visit = Visit::of_navigation(&request).await?;
    let step = if visit.raw.query() == "undo" { PersonRequest::UndoLink } else { PersonRequest::AddressLink };
    let response = page(&visit, step, false)?;
    Ok(visit.finish(response))
}

pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    let (visit, fields, flow) = Posted::read(&mut request).await?.open()?.current()?;
    let FlowStep::Account(step @ (PersonRequest::AddressLink | PersonRequest::UndoLink)) = flow.step else {
        return Err(Visit::foreign());
    };
    // The person may have pasted the whole link.
    let code = fields.code.rsplit('#').next().unwrap_or_default();
    let code = visit.services.administrator.read_code(&visit.tenant.id, code);
    let fits = |code: &AccountCode| match code.purpose() {
        CodePurpose::Verification(_) => step == PersonRequest::AddressLink,
        CodePurpose::Undo(_) => step == PersonRequest::UndoLink,
        CodePurpose::Password | CodePurpose::Recovery | CodePurpose::Invitation => false,
    };
    let is_done = match code.filter(fits) {
        Some(code) => set_address(&visit, &code).await?,
        None => false,
    };
    let response = if is_done {
        let way = way(&step);
        let recover = (way == ConfirmWay::Undo && visit.offers_recovery())
            .then(|| visit.public_url.path_of(&visit.tenant.id, RECOVERY_PATH));
        let page = AddressDone { common: visit.common(None), way, recover };
        respond(StatusCode::OK, &page, Opener::Severed)
    } else {
        visit.log_refusal();
        page(&visit, step, true)?
    };
    Ok(visit.finish(response))
}

/// Gives the account the address of the code. Returns false if the code cannot be used.
pub(super) async fn set_address(visit: &Visit<'_>, code: &AccountCode) -> PageResult<bool> {
    let Visit { services, raw, now, .. } = *visit;
    let tenant = &visit.tenant.id;
    services.writes.spend_of_person(tenant, code.account(), now).map_err(ServerFailure::TooManyWrites)?;
    match services.administrator.set_address_by_code(tenant, code, raw.address(), now).await {
        Ok(()) => Ok(true),
        Err(EditError::NotFound(_) | EditError::Conflict(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn page(visit: &Visit<'_>, step: PersonRequest, is_refused: bool) -> PageResult {
    let way = way(&step);
    let form = visit.form("", FlowStep::Account(step), visit.now)?;
    Ok(confirm_page(visit, form, way, is_refused))
}

/// The page that asks for a mailed code.
pub(super) fn confirm_page(
    visit: &Visit<'_>,
    SealedForm { action, flow }: SealedForm,
    way: ConfirmWay,
    refused: bool,
) -> HttpResponse {
    let page = ConfirmAddress { common: visit.common(None), action, flow, code: String::new(), way, refused };
    let status = if refused { StatusCode::FORBIDDEN } else { StatusCode::OK };
    respond(status, &page, Opener::Severed)
}

fn way(step: &PersonRequest) -> ConfirmWay {
    if *step == PersonRequest::UndoLink { ConfirmWay::Undo } else { ConfirmWay::Link }
}
