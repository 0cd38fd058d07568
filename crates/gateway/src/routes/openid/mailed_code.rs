//! The pages that ask for a code of a message or of a link, and what a person does with the code.

use accounts::AccountCode;
use administration::edit::EditError;
use pages::{CodeUse, FormError, MailedCode};
use sessions::{FlowStep, PersonRequest, RecoveryStep};
use values::{Secret, Timestamp};

use super::forms::{form_error, respond_to_form};
use super::visit::Visit;
use crate::page::PageResult;

/// Asks for the code of this step. A refused code is not shown again.
pub(super) fn code_page(
    visit: &Visit<'_>,
    to: &str,
    step: FlowStep,
    began: Timestamp,
    code: String,
    error: Option<FormError>,
) -> PageResult {
    let (purpose, sent_to) = match &step {
        FlowStep::Recovery(RecoveryStep::Code { identifier: to, .. }) => (CodeUse::SetPassword, Some(to)),
        FlowStep::Account(PersonRequest::Address { address: to, .. }) => (CodeUse::ConfirmAddress, Some(to)),
        FlowStep::Account(PersonRequest::Link) => (CodeUse::SetPassword, None),
        FlowStep::Account(PersonRequest::AddressLink) => (CodeUse::ConfirmAddress, None),
        FlowStep::Account(PersonRequest::UndoLink) => (CodeUse::RestoreAddress, None),
        _ => return Err(Visit::foreign()),
    };
    let is_refused = error == Some(FormError::Refused);
    if is_refused {
        visit.log_refusal();
    }
    let (sent_to, code) = (sent_to.cloned(), if is_refused { String::new() } else { code });
    let form = visit.form(to, step, began)?;
    let page = MailedCode { common: visit.common(None), form, purpose, sent_to, code, error };
    Ok(respond_to_form(&page, page.error.as_ref()))
}

/// Sets the password of the code's account.
pub(super) async fn set_password(
    visit: &Visit<'_>,
    code: &AccountCode,
    new_password: Option<Secret>,
) -> PageResult<Result<(), FormError>> {
    visit.spend(code.account())?;
    let (administrator, source) = (&visit.services.administrator, visit.raw.address());
    let set = administrator.set_password_by_code(&visit.tenant.id, code, new_password, source, visit.now);
    refusal_of(set.await)
}

/// Gives the code's account the address that the code was mailed to.
pub(super) async fn set_address(visit: &Visit<'_>, code: &AccountCode) -> PageResult<Result<(), FormError>> {
    visit.spend(code.account())?;
    let (administrator, source) = (&visit.services.administrator, visit.raw.address());
    refusal_of(administrator.set_address_by_code(&visit.tenant.id, code, source, visit.now).await)
}

fn refusal_of(set: Result<(), EditError>) -> PageResult<Result<(), FormError>> {
    match set {
        Ok(()) => Ok(Ok(())),
        // The code was already used, or the account is now in a configuration file.
        Err(EditError::NotFound(_) | EditError::Conflict(_)) => Ok(Err(FormError::Refused)),
        Err(error) => form_error(error).map(Err),
    }
}
