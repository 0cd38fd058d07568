//! The account page: the account's sessions, and the applications with access.

use actix_web::http::StatusCode;
use administration::administrator::SignInsView;
use administration::documents::{ConsentView, SessionView};
use pages::{
    AccountEmail, AccountNotice, AccountPage, AllowedApplication, Language, MomentValue, SessionEntry,
};
use sessions::{FlowStep, PersonRequest, SignedIn};

use super::scope_lines::scope_lines;
use super::visit::{Visit, person};
use crate::page::{Opener, PageResult, respond};
use crate::routes::console::paths::path_of;

/// `notice` is the result of the last action.
pub(super) async fn account_page(
    visit: &Visit<'_>,
    signed_in: &SignedIn,
    notice: Option<AccountNotice>,
) -> PageResult {
    let Visit { services, tenant, now, .. } = visit;
    let own = signed_in.session();
    let left = services.administrator.own_sign_ins(signed_in, tenant.sign_in.session, *now).await?;
    let SignInsView { mut sessions, mut consents } = left;
    sessions.retain(|session| session.session_id != own.id.as_str());
    // The latest consent first.
    consents.sort_by_key(|consent| std::cmp::Reverse(consent.granted_at.0));
    let more_applications = consents.len().saturating_sub(AccountPage::MOST);
    consents.truncate(AccountPage::MOST);
    let common = visit.common(None);
    let mut applications = Vec::new();
    for consent in consents {
        applications.push(application(visit, consent, common.language).await?);
    }
    let step = FlowStep::Account(PersonRequest::Manage(own.id.clone()));
    let form = visit.form("", step, *now)?;
    let row = visit.account(signed_in).await?;
    let (name, account) = person(row.as_deref(), signed_in);
    let email = row.as_deref().and_then(|row| row.email()).map(|held| AccountEmail {
        address: held.identifier.to_string(),
        is_verified: held.verified_at.is_some(),
    });
    let has_password = row.as_ref().is_some_and(|row| row.password_changed_at.is_some());
    let console = row.filter(|row| !row.permissions.is_empty());
    let console = console.map(|_| visit.public_url.path().to_owned() + &path_of(&tenant.id) + "/sign-in");
    let page = AccountPage {
        common,
        form,
        name,
        account,
        has_password,
        email,
        offers_mail: visit.sends_mail(),
        console,
        notice,
        here: entry(SessionView::new(own.clone(), tenant.sign_in.session)),
        elsewhere: sessions.into_iter().map(entry).collect(),
        applications,
        more_applications,
    };
    Ok(respond(StatusCode::OK, &page, Opener::Severed))
}

fn entry(session: SessionView) -> SessionEntry {
    let SessionView { session_id: id, user_agent, source, created_at, last_seen_at, .. } = session;
    let [began, last_seen] = [created_at, last_seen_at].map(|at| MomentValue::utc(at.0.to_rfc3339()));
    SessionEntry { id, user_agent, source, began, last_seen }
}

/// A client that is deleted or suspended is shown by its id.
async fn application(
    visit: &Visit<'_>,
    consent: ConsentView,
    language: Language,
) -> PageResult<AllowedApplication> {
    let ConsentView { client_id, scopes, resources: apis, granted_at } = consent;
    let client = visit.services.tokens.authenticator.find_active(&visit.tenant.id, &client_id).await?;
    Ok(AllowedApplication {
        name: client.map_or_else(|| client_id.clone(), |client| client.name.clone()),
        client: client_id,
        scopes: scope_lines(&visit.tenant, &apis, scopes.into_iter(), language),
        apis,
        allowed: MomentValue::utc(granted_at.0.to_rfc3339()),
    })
}
