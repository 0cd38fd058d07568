//! A signed-in person verifies the email address of the account, or changes it. A new address needs the
//! current password. The account gets the address when the person types the code that was mailed to it.

use accounts::{Account, EmailAddress};
use pages::{AccountNotice, FormError, OwnChange};
use sessions::{FlowStep, PersonRequest, SignedIn};
use tokio::time::Instant;
use values::Timestamp;

use super::account_page::account_page;
use super::account_password::change_page;
use super::browser::random_value;
use super::forms::form_error;
use super::mailed_code::{code_page, set_address};
use super::posted::Fields;
use super::sign_in::prove_again;
use super::visit::Visit;
use crate::page::PageResult;

/// Mails a code to the new address.
pub(super) async fn change(visit: &mut Visit<'_>, signed_in: &SignedIn, fields: Fields) -> PageResult {
    if let Err(error) = prove_again(visit, signed_in, fields.password).await? {
        return change_page(visit, signed_in, OwnChange::Email(fields.email), Some(error)).await;
    }
    match EmailAddress::parse(fields.email.trim_ascii()) {
        Ok(address) => ask(visit, signed_in, &address).await,
        Err(why) => {
            let error = FormError::Unfit(why.to_string());
            change_page(visit, signed_in, OwnChange::Email(fields.email), Some(error)).await
        }
    }
}

/// Mails a code to the address that the account already has.
pub(super) async fn verify(visit: &Visit<'_>, signed_in: &SignedIn) -> PageResult {
    let account = visit.account(signed_in).await?;
    match account.as_deref().and_then(Account::email_address) {
        Some(address) => ask(visit, signed_in, address).await,
        None => account_page(visit, signed_in, None).await,
    }
}

/// The response and its time do not reveal whether another account has the address.
async fn ask(visit: &Visit<'_>, signed_in: &SignedIn, address: &EmailAddress) -> PageResult {
    let (arrival, account, services) = (Instant::now(), signed_in.account(), visit.services);
    visit.spend(account)?;
    let (caller, page_value) = (visit.caller(signed_in), random_value());
    let within = services.administrator.of(&caller, &visit.tenant.id);
    if let Err(error) = within.ask_verification(account, address, &page_value).await {
        let email = OwnChange::Email(address.to_string());
        return change_page(visit, signed_in, email, Some(form_error(error)?)).await;
    }
    services.sign_ins.wait_for_refusal(arrival).await;
    let session = signed_in.session().id.clone();
    let step = PersonRequest::Address { session, address: address.to_string(), page: page_value };
    code_page(visit, "", FlowStep::Account(step), visit.now, String::new(), None)
}

/// Gives the account the address if the code is right. `step` is the step of the page where the person typed
/// the code.
pub(super) async fn confirm(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    step: PersonRequest,
    began: Timestamp,
    typed: String,
) -> PageResult {
    let PersonRequest::Address { address, page, .. } = &step else { return Err(Visit::foreign()) };
    let (arrival, services) = (Instant::now(), visit.services);
    let before = visit.account(signed_in).await?;
    let (codes, at) = (services.sign_ins.codes(), visit.typed_at(address, (page, began)));
    let code = services.administrator.read_typed_code(codes, at, Some(signed_in.account()), &typed).await?;
    let set = match code {
        Some(code) => set_address(visit, &code).await?,
        None => Err(FormError::Refused),
    };
    if let Err(error) = set {
        services.sign_ins.wait_for_refusal(arrival).await;
        return code_page(visit, "", FlowStep::Account(step), began, typed, Some(error));
    }
    let had = before.as_deref().and_then(Account::email_address);
    let is_same = had.is_some_and(|had| had.as_str() == address);
    let notice = if is_same { AccountNotice::EmailVerified } else { AccountNotice::EmailChanged };
    account_page(visit, signed_in, Some(notice)).await
}
