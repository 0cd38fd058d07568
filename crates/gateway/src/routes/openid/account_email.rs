//! A signed-in person verifies the email address of the account, or changes it. A new address needs the
//! current password. The account gets the address when the person types the code that was mailed to it.

use accounts::{Account, EmailAddress};
use actix_web::http::StatusCode;
use administration::administrator::Caller;
use administration::edit::EditError;
use administration::kinds::authority::Authority;
use pages::{AccountNotice, ChangeEmail, ChangeEmailError, ConfirmWay, ErrorKind};
use protocol::RefusalReason;
use sessions::{FlowStep, PersonRequest, SignedIn};
use tokio::time::Instant;
use values::Timestamp;

use super::account_page::account_page;
use super::browser::random_value;
use super::posted::Fields;
use super::proceed::respond_to_sign_in;
use super::sign_in::prove_again;
use super::verify::{confirm_page, set_address};
use super::visit::{SealedForm, Visit};
use crate::page::{Opener, PageError, PageResult, respond};
use crate::request::ServerFailure;

/// Asks for another address.
pub(super) async fn page(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    email: String,
    error: Option<ChangeEmailError>,
) -> PageResult {
    if !visit.sends_mail() {
        return Err(PageError::from_kind(ErrorKind::NotFound, RefusalReason::StrategyNotEnabled));
    }
    let step = FlowStep::Account(PersonRequest::Email(signed_in.session().id.clone()));
    let SealedForm { action, flow } = visit.form("", step, visit.now)?;
    let account = visit.shown_name(signed_in).await?;
    let page = ChangeEmail { common: visit.common(None), action, flow, account, email, error };
    Ok(match &page.error {
        Some(ChangeEmailError::Invalid) => respond(StatusCode::BAD_REQUEST, &page, Opener::Severed),
        Some(ChangeEmailError::Declared) => respond(StatusCode::CONFLICT, &page, Opener::Severed),
        Some(ChangeEmailError::Present(message)) => {
            respond_to_sign_in(&page, Some(*message), Opener::Severed)
        }
        None => respond_to_sign_in(&page, None, Opener::Severed),
    })
}

/// Mails a code to the new address.
pub(super) async fn change(visit: &mut Visit<'_>, signed_in: &SignedIn, fields: Fields) -> PageResult {
    if let Err(message) = prove_again(visit, signed_in, fields.password).await? {
        return page(visit, signed_in, fields.email, Some(ChangeEmailError::Present(message))).await;
    }
    match EmailAddress::parse(fields.email.trim_ascii()) {
        Ok(address) => ask(visit, signed_in, &address).await,
        Err(_) => page(visit, signed_in, fields.email, Some(ChangeEmailError::Invalid)).await,
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
    let arrival = Instant::now();
    let (tenant, account, now) = (&visit.tenant.id, signed_in.account(), visit.now);
    visit.services.writes.spend_of_person(tenant, account, now).map_err(ServerFailure::TooManyWrites)?;
    let caller = Caller::new(Authority::of_account_holder(signed_in, visit.raw.address()), now);
    let page_value = random_value();
    let administrator = &visit.services.administrator;
    match administrator.of(&caller, tenant).ask_verification(account, address, &page_value).await {
        Ok(()) => {}
        Err(EditError::Conflict(_)) => {
            return page(visit, signed_in, address.to_string(), Some(ChangeEmailError::Declared)).await;
        }
        // The account was just deleted.
        Err(EditError::NotFound(_)) => return Err(Visit::foreign()),
        Err(error) => return Err(error.into()),
    }
    visit.services.sign_ins.wait_for_refusal(arrival).await;
    code_page(visit, signed_in, address.to_string(), page_value, now, false)
}

/// Gives the account the address if the code is right.
pub(super) async fn confirm(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    address: String,
    page_value: String,
    began: Timestamp,
    typed: &str,
) -> PageResult {
    let arrival = Instant::now();
    let Ok(parsed) = EmailAddress::parse(&address) else { return Err(Visit::foreign()) };
    let (services, account) = (visit.services, signed_in.account());
    let before = visit.account(signed_in).await?;
    let caller = Caller::new(Authority::of_account_holder(signed_in, visit.raw.address()), visit.now);
    let within = services.administrator.of(&caller, &visit.tenant.id);
    let at = visit.code_page(&address, (&page_value, began));
    let code = within.read_address_code(services.sign_ins.codes(), at, parsed, account, typed).await?;
    let is_done = match &code {
        Some(code) => set_address(visit, code).await?,
        None => false,
    };
    if !is_done {
        visit.log_refusal();
        services.sign_ins.wait_for_refusal(arrival).await;
        return code_page(visit, signed_in, address, page_value, began, true);
    }
    let had = before.as_deref().and_then(Account::email_address);
    let is_same = had.is_some_and(|had| had.as_str() == address);
    let notice = if is_same { AccountNotice::EmailVerified } else { AccountNotice::EmailChanged };
    account_page(visit, signed_in, Some(notice)).await
}

fn code_page(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    address: String,
    page: String,
    began: Timestamp,
    is_refused: bool,
) -> PageResult {
    let session = signed_in.session().id.clone();
    let step = PersonRequest::Address { session, address: address.clone(), page };
    let form = visit.form("", FlowStep::Account(step), began)?;
    Ok(confirm_page(visit, form, ConfirmWay::Typed { to: address }, is_refused))
}
