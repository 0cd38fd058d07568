//! `GET` and `POST …/account`: a person sees the sessions of the account and the applications that may use
//! it, ends them, and sets another password. Each action is the operation that administrators have.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use administration::{Authority, Caller, EditError, SignInEnd};
use pages::{AccountNotice, AccountPage, SignInMessage, SignedOut};
use registry::ClientId;
use sessions::{FlowStep, PersonRequest, SessionId, SignedIn};

use super::account_page::account_page;
use super::account_password;
use super::posted::{Fields, OpenedForm, Posted};
use super::proceed::sign_in_form;
use super::sign_in::sign_in_with_password;
use super::visit::Visit;
use crate::page::{ACCOUNT_PATH, Opener, PageRequest, PageResult, SIGN_IN_AGAIN, respond};
use crate::request::ServerFailure;
use crate::respond::no_store;

/// Shows the account. The person signs in first, if nobody is signed in or a dangerous action requires it.
pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    let visit = Visit::of_navigation(&request).await?;
    let again = visit.raw.query() == SIGN_IN_AGAIN;
    let response = match visit.signed_in().await? {
        Some(_) if again => sign_in_page(&visit, String::new(), None)?,
        signed_in => page(&visit, signed_in).await?,
    };
    Ok(visit.finish(response))
}

/// A form of one of the pages.
pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    let opened = Posted::read(&mut request).await?.open()?;
    let OpenedForm { mut visit, fields, flow, stale } = opened;
    let FlowStep::Account(step) = flow.step else { return Err(Visit::foreign()) };
    let response = match (stale, &step) {
        (_, PersonRequest::Link) => return Err(Visit::foreign()),
        (Some(stale), _) => match stale.person(&visit).await? {
            Some(signed_in) => account_page(&visit, &signed_in, None).await?,
            None => sign_in_page(&visit, fields.identifier, Some(stale.message()))?,
        },
        (None, PersonRequest::SignIn) => sign_in(&mut visit, fields).await?,
        (None, PersonRequest::Manage(session) | PersonRequest::Password(session)) => {
            match visit.signed_in().await? {
                Some(signed_in) if signed_in.session().id == *session => match step {
                    PersonRequest::Password(_) => {
                        account_password::change(&mut visit, &signed_in, fields).await?
                    }
                    _ => manage(&mut visit, &signed_in, &fields).await?,
                },
                // A page of one session cannot act in another session.
                signed_in => page(&visit, signed_in).await?,
            }
        }
    };
    Ok(visit.finish(response))
}

/// The account of the signed-in person, or the sign-in page.
async fn page(visit: &Visit<'_>, signed_in: Option<SignedIn>) -> PageResult {
    match signed_in {
        Some(signed_in) => account_page(visit, &signed_in, None).await,
        None => sign_in_page(visit, String::new(), None),
    }
}

fn sign_in_page(visit: &Visit<'_>, identifier: String, error: Option<SignInMessage>) -> PageResult {
    let form = visit.form("", FlowStep::Account(PersonRequest::SignIn), visit.now)?;
    Ok(sign_in_form(visit, None, Opener::Severed, form, identifier, error))
}

/// Checks identifier and password, and redirects to the account, so that the page can be loaded again without
/// them.
async fn sign_in(visit: &mut Visit<'_>, fields: Fields) -> PageResult {
    let identifier = fields.identifier.clone();
    let before = visit.signed_in().await?;
    match sign_in_with_password(visit, before.as_ref(), fields).await? {
        Ok(begun) if visit.write_session(&begun).await? => Ok(to_own_account(visit)),
        Ok(_) => sign_in_page(visit, identifier, None),
        Err(message) => sign_in_page(visit, identifier, Some(message)),
    }
}

/// Redirects a signed-in person to the account.
pub(super) fn to_own_account(visit: &Visit<'_>) -> HttpResponse {
    let account = visit.public_url.path_of(&visit.tenant.id, ACCOUNT_PATH);
    no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, account)).finish()
}

/// Ends the session or consent that the form names, if it is of this account; otherwise the page does not say
/// so. Or asks for another password.
async fn manage(visit: &mut Visit<'_>, signed_in: &SignedIn, fields: &Fields) -> PageResult {
    let own = &signed_in.session().id;
    if fields.decision == "password" {
        return account_password::page(visit, signed_in, None).await;
    }
    let (tenant, account, now) = (&visit.tenant.id, signed_in.account(), visit.now);
    let caller = Caller::new(Authority::of_account_holder(signed_in, visit.raw.address()), now);
    let mut notice = None;
    for end in pressed(fields, own) {
        visit.services.writes.spend_of_person(tenant, account, now).map_err(ServerFailure::TooManyWrites)?;
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

/// The sessions or the consent that the pressed button ends. Equal sessions are shown as one, and each of
/// them ends.
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
