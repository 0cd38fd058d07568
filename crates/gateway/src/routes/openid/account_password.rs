//! A person changes the password of the account. The current password is checked as in a sign-in,
//! with the same limits. The admin API's operation sets the new one. All other sessions end.

use pages::{AccountNotice, ChangeOwn, FormError, OwnChange};
use sessions::{FlowStep, PersonRequest, SignedIn};

use super::account_page::account_page;
use super::forms::{form_error, respond_to_form};
use super::posted::Fields;
use super::sign_in::{begin_session, prove_again};
use super::visit::Visit;
use crate::page::PageResult;

/// Asks for the current password, and for another password or email address.
pub(super) async fn change_page(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    change: OwnChange,
    error: Option<FormError>,
) -> PageResult {
    let session = signed_in.session().id.clone();
    let step = match change {
        OwnChange::Password => PersonRequest::Password(session),
        OwnChange::Email(_) => {
            visit.require_offer(visit.sends_mail())?;
            PersonRequest::Email(session)
        }
    };
    let form = visit.form("", FlowStep::Account(step), visit.now)?;
    let account = visit.shown_name(signed_in).await?;
    let page = ChangeOwn { common: visit.common(None), form, account, change, error };
    Ok(respond_to_form(&page, page.error.as_ref()))
}

/// Requires the current password. This browser gets a new session.
pub(super) async fn change(visit: &mut Visit<'_>, signed_in: &SignedIn, fields: Fields) -> PageResult {
    let authentication = match prove_again(visit, signed_in, fields.password).await? {
        Ok(authentication) => authentication,
        Err(error) => return change_page(visit, signed_in, OwnChange::Password, Some(error)).await,
    };
    let account = signed_in.account();
    visit.spend(account)?;
    let (caller, administrator) = (visit.caller(signed_in), &visit.services.administrator);
    let within = administrator.of(&caller, &visit.tenant.id);
    let changed = match within.set_account_password(account, fields.new_password).await {
        Ok(changed) => changed,
        Err(error) => {
            return change_page(visit, signed_in, OwnChange::Password, Some(form_error(error)?)).await;
        }
    };
    // The previous session has ended together with the others.
    let authentication = authentication.kept_from(changed.valid_from.0);
    let begun = begin_session(visit, &authentication, None, signed_in.session().remembered)?;
    visit.write_session(&begun).await?;
    account_page(visit, &begun.signed_in(), Some(AccountNotice::PasswordChanged)).await
}
