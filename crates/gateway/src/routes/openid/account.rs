//! `GET` and `POST …/account`: a person sees and ends the account's sessions and the access of
//! applications, and changes the password. Each action calls the operation of the admin API.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use administration::edit::{EditError, SignInEnd};
use pages::{AccountNotice, AccountPage, OwnChange, SignInMessage, SignedOut};
use registry::ClientId;
use sessions::{FlowStep, PersonRequest, SessionId, SignedIn};
use url::form_urlencoded;

use super::account_email;
use super::account_page::account_page;
use super::account_password;
use super::account_password::change_page;
use super::posted::{Fields, OpenedForm, Posted};
use super::proceed::sign_in_form;
use super::recover;
use super::recover::RECOVER;
use super::sign_in::sign_in_with_password;
use super::visit::Visit;
use crate::page::{ACCOUNT_PATH, Opener, PASSWORD_SET, PageRequest, PageResult, SIGN_IN_AGAIN, respond};
use crate::respond::no_store;
use crate::routes::console::enter_from_account;
use crate::routes::console::paths::{WANTED, wanted};

/// Shows the sign-in page first, if nobody is signed in or if an action requires a new sign-in.
pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    let visit = Visit::of_navigation(&request).await?;
    let query: Vec<_> = form_urlencoded::parse(visit.raw.query().as_bytes()).collect();
    let has = |pair: &str| query.iter().any(|(name, value)| format!("{name}={value}") == pair);
    let to = query.iter().find(|(name, _)| name == WANTED).and_then(|(_, to)| wanted(&visit.tenant.id, to));
    let to = to.unwrap_or_default();
    let message = has(PASSWORD_SET).then_some(SignInMessage::PasswordSet);
    let response = match visit.signed_in().await? {
        Some(signed_in) if message.is_none() && !has(SIGN_IN_AGAIN) => {
            account_page(&visit, &signed_in, None).await?
        }
        _ => sign_in_page(&visit, &to, String::new(), message)?,
    };
    Ok(visit.finish(response))
}

/// Handles the forms of all account pages.
pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    let opened = Posted::read(&mut request).await?.open()?;
    let OpenedForm { mut visit, fields, flow, stale } = opened;
    let FlowStep::Account(step) = flow.step else { return Err(Visit::foreign()) };
    let response = match (stale, &step) {
        (_, PersonRequest::Link | PersonRequest::AddressLink | PersonRequest::UndoLink) => {
            return Err(Visit::foreign());
        }
        (Some(stale), _) => match stale.person(&visit).await? {
            Some(signed_in) => account_page(&visit, &signed_in, None).await?,
            None => sign_in_page(&visit, &flow.parameters, fields.identifier, Some(stale.message()))?,
        },
        (None, PersonRequest::SignIn) if fields.decision == RECOVER => {
            recover::ask_page(&visit, "", &fields.identifier)?
        }
        (None, PersonRequest::SignIn) => sign_in(&mut visit, &flow.parameters, fields).await?,
        (
            None,
            PersonRequest::Manage(session)
            | PersonRequest::Password(session)
            | PersonRequest::Email(session)
            | PersonRequest::Address { session, .. },
        ) => {
            match visit.signed_in().await? {
                Some(signed_in) if signed_in.session().id == *session => match step {
                    PersonRequest::Password(_) => {
                        account_password::change(&mut visit, &signed_in, fields).await?
                    }
                    PersonRequest::Email(_) => account_email::change(&mut visit, &signed_in, fields).await?,
                    PersonRequest::Address { .. } => {
                        account_email::confirm(&visit, &signed_in, step, flow.started, fields.code).await?
                    }
                    _ => manage(&mut visit, &signed_in, &fields).await?,
                },
                // A page of one session cannot act on another session.
                signed_in => page(&visit, signed_in).await?,
            }
        }
    };
    Ok(visit.finish(response))
}

async fn page(visit: &Visit<'_>, signed_in: Option<SignedIn>) -> PageResult {
    match signed_in {
        Some(signed_in) => account_page(visit, &signed_in, None).await,
        None => sign_in_page(visit, "", String::new(), None),
    }
}

/// The form seals `to`, the page of the console to open after the sign-in. It may be empty.
fn sign_in_page(visit: &Visit<'_>, to: &str, identifier: String, error: Option<SignInMessage>) -> PageResult {
    let form = visit.form(to, FlowStep::Account(PersonRequest::SignIn), visit.now)?;
    Ok(sign_in_form(visit, None, Opener::Severed, form, identifier, error))
}

/// Redirects to the account page or to the console after the sign-in, so that reloading does not send
/// the password again.
async fn sign_in(visit: &mut Visit<'_>, to: &str, fields: Fields) -> PageResult {
    let identifier = fields.identifier.clone();
    let before = visit.signed_in().await?;
    match sign_in_with_password(visit, before.as_ref(), fields).await? {
        Ok(begun) if visit.write_session(&begun).await? => {
            let Visit { services, public_url, raw, .. } = *visit;
            let entered = enter_from_account(services, public_url, raw, &begun.signed_in(), to).await?;
            Ok(entered.unwrap_or_else(|| to_own_account(visit, "")))
        }
        Ok(_) => sign_in_page(visit, to, identifier, None),
        Err(message) => sign_in_page(visit, to, identifier, Some(message)),
    }
}

/// `query` is empty or begins with `?`.
pub(super) fn to_own_account(visit: &Visit<'_>, query: &str) -> HttpResponse {
    let account = visit.public_url.path_of(&visit.tenant.id, ACCOUNT_PATH);
    no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, format!("{account}{query}"))).finish()
}

/// Ends the session or consent in the form, or opens the page that changes the password. A session
/// or consent of another account is ignored without a message.
async fn manage(visit: &mut Visit<'_>, signed_in: &SignedIn, fields: &Fields) -> PageResult {
    let own = &signed_in.session().id;
    match &*fields.decision {
        "password" => return change_page(visit, signed_in, OwnChange::Password, None).await,
        "email" => return change_page(visit, signed_in, OwnChange::Email(String::new()), None).await,
        "verify" if visit.sends_mail() => return account_email::verify(visit, signed_in).await,
        _ => {}
    }
    let (tenant, account) = (&visit.tenant.id, signed_in.account());
    let (caller, mut notice) = (visit.caller(signed_in), None);
    for end in pressed(fields, own) {
        visit.spend(account)?;
        let ended = visit.services.administrator.of(&caller, tenant).end_sign_ins(account, &end).await;
        notice = match (ended, end) {
            (Err(EditError::NotFound(_)), _) => notice,
            (Err(error), _) => return Err(error.into()),
            (Ok(()), SignInEnd::Consent(_)) => Some(AccountNotice::ApplicationEnded),
            (Ok(()), SignInEnd::Session(session)) if session != *own => Some(match notice {
                None => AccountNotice::SessionEnded,
                Some(_) => AccountNotice::SessionsEnded,
            }),
            (Ok(()), SignInEnd::Session(_) | SignInEnd::All) => {
                visit.browser.forget_session(&visit.tenant)?;
                let page = SignedOut { common: visit.common(None), back: None };
                return Ok(respond(StatusCode::OK, &page, Opener::Severed));
            }
        };
    }
    account_page(visit, signed_in, notice).await
}

/// What the pressed button ends. Sessions that look equal share a button, which ends all of them.
fn pressed(fields: &Fields, own: &SessionId) -> Vec<SignInEnd> {
    match (&*fields.decision, &*fields.session, &*fields.client) {
        ("sign_out", "", "") => vec![SignInEnd::Session(own.clone())],
        ("sign_out_everywhere", "", "") => vec![SignInEnd::All],
        ("", sessions, "") => {
            let sessions = sessions.split(' ').take(AccountPage::MOST);
            sessions.filter_map(|session| session.parse().ok().map(SignInEnd::Session)).collect()
        }
        ("", "", client) => ClientId::parse(client).ok().map(SignInEnd::Consent).into_iter().collect(),
        _ => Vec::new(),
    }
}
