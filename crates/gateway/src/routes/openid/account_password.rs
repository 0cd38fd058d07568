//! A person changes the password of the account. The current password is checked as in a sign-in,
//! with the same limits. The admin API's operation sets the new one. All other sessions end.

use actix_web::http::StatusCode;
use administration::administrator::Caller;
use administration::edit::EditError;
use administration::kinds::authority::Authority;
use pages::{AccountNotice, ChangePassword, ChangePasswordError, SignInMessage};
use sessions::{FlowStep, PersonRequest, SignedIn};

use super::account_page::account_page;
use super::posted::Fields;
use super::proceed::respond_to_sign_in;
use super::sign_in::{begin_session, prove_again};
use super::visit::{SealedForm, Visit};
use crate::page::{Opener, PageResult, respond};
use crate::request::ServerFailure;

pub(super) async fn page(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    error: Option<ChangePasswordError>,
) -> PageResult {
    let step = FlowStep::Account(PersonRequest::Password(signed_in.session().id.clone()));
    let SealedForm { action, flow } = visit.form("", step, visit.now)?;
    let account = visit.shown_name(signed_in).await?;
    let page = ChangePassword { common: visit.common(None), action, flow, account, error };
    Ok(match &page.error {
        Some(ChangePasswordError::Unfit(_)) => respond(StatusCode::BAD_REQUEST, &page, Opener::Severed),
        Some(ChangePasswordError::Declared) => respond(StatusCode::CONFLICT, &page, Opener::Severed),
        Some(ChangePasswordError::Present(message)) => {
            respond_to_sign_in(&page, Some(*message), Opener::Severed)
        }
        None => respond_to_sign_in(&page, None, Opener::Severed),
    })
}

/// Requires the current password. This browser gets a new session.
pub(super) async fn change(visit: &mut Visit<'_>, signed_in: &SignedIn, fields: Fields) -> PageResult {
    let authentication = match prove_again(visit, signed_in, fields.password).await? {
        Ok(authentication) => authentication,
        Err(message) => return page(visit, signed_in, Some(ChangePasswordError::Present(message))).await,
    };
    let (tenant, account, now) = (&visit.tenant.id, signed_in.account(), visit.now);
    visit.services.writes.spend_of_person(tenant, account, now).map_err(ServerFailure::TooManyWrites)?;
    let caller = Caller::new(Authority::of_account_holder(signed_in, visit.raw.address()), now);
    let administrator = &visit.services.administrator;
    let changed =
        match administrator.of(&caller, tenant).set_account_password(account, fields.new_password).await {
            Ok(changed) => changed,
            Err(EditError::Invalid(errors)) => {
                let why = errors.into_iter().next().map(|error| error.detail).unwrap_or_default();
                return page(visit, signed_in, Some(ChangePasswordError::Unfit(why))).await;
            }
            Err(EditError::Conflict(_)) => {
                return page(visit, signed_in, Some(ChangePasswordError::Declared)).await;
            }
            Err(EditError::Busy | EditError::Hash(_)) => {
                let busy = ChangePasswordError::Present(SignInMessage::Busy);
                return page(visit, signed_in, Some(busy)).await;
            }
            // The account was just deleted.
            Err(EditError::NotFound(_)) => return Err(Visit::foreign()),
            Err(error) => return Err(error.into()),
        };
    // The previous session has ended together with the others.
    let authentication = authentication.kept_from(changed.valid_from.0);
    let begun = begin_session(visit, &authentication, None, signed_in.session().remembered)?;
    visit.write_session(&begun).await?;
    account_page(visit, &begun.signed_in(), Some(AccountNotice::PasswordChanged)).await
}
