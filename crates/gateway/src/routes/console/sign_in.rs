//! How a session begins and ends: the sign-in explains it, a link contains a code, and the code is exchanged
//! for a session.

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use administration::{ConsoleHolder, ConsoleSession};
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Fact, Link, Meaning};
use protocol::RefusalReason;
use sessions::SessionToken;
use tenancy::TenantId;
use values::{Secret, ShellCommand};

use super::form::FormFields;
use super::frame::outside;
use super::paths::path_of;
use super::shown::{code as code_fact, fact, time};
use super::visit::{ConsoleVisit, VisitedPlace, lead_to, show};
use crate::page::{
    ACCOUNT_PATH, CookieName, Cookies, OwnOrigin, PageError, PageRequest, PageResult, SIGN_IN_AGAIN,
    judge_form,
};

/// Says how a session begins.
pub(super) async fn page(request: PageRequest) -> PageResult {
    let place = VisitedPlace::from_request(&request).await?;
    Ok(sign_in(&request, &place, None).await)
}

/// The page of a link. Its script moves the code out of the fragment and sends it. Without script the person
/// sends it.
pub(super) async fn link(request: PageRequest) -> PageResult {
    let place = VisitedPlace::from_request(&request).await?;
    let action = format!("{}{}/link", request.public_url.path(), place.path());
    let field = Field::new("code", "Code", Input::Fragment)
        .hint("The part of the link after #. It works once, for 60 seconds.");
    let form = HtmlForm::button(action, "", "Open the console").meaning(Meaning::Info).with(vec![field]);
    Ok(show(&outside(&request, &place, "Open the console", vec![Block::Form(form)])))
}

/// Begins a session for the person who is signed in at the tenant. Without such a person it redirects to the
/// sign-in of the account.
pub(super) async fn by_account(request: PageRequest) -> PageResult {
    let place = VisitedPlace::from_request(&request).await?;
    let PageRequest { services, public_url, raw } = &request;
    let foreign = |kind| PageError::from_kind(kind, RefusalReason::ForeignForm);
    judge_form(raw.headers(), &OwnOrigin::from_public_url(&public_url.0)).map_err(foreign)?;
    let (home, now, cookies) = (place.home(), (services.clock)(), Cookies::from_public_url(public_url));
    let tenant = services.tokens.tenants.resolve_openid_provider(home.as_str()).await?;
    let token = cookies.read(raw.headers(), CookieName::Session(&home)).and_then(SessionToken::parse);
    let signed_in = match token {
        Some(token) => services.sessions.find(&home, tenant.sign_in.session, &token, now).await?,
        None => None,
    };
    let Some(signed_in) = signed_in else {
        return Ok(lead_to(&request, &format!("/api/v1/tenant/{home}/account")));
    };
    let account = services.rows.accounts.find_account(&home, signed_in.account()).await?;
    if account.is_none_or(|account| account.permissions.is_empty()) {
        let text = "Your account has no permissions. An administrator who has some can grant them.";
        return Ok(sign_in(&request, &place, Some(text)).await);
    }
    let source = raw.address();
    let cookie = services.administrator.begin_console_session(&signed_in, source, now).await?;
    entered(&request, &home, &cookie)
}

/// Exchanges the code for a session. If this browser has a session of another holder, it shows for whom the
/// link is, and asks: an administrator who can create a link could otherwise sign other people in as another
/// holder.
pub(super) async fn exchange(mut request: PageRequest) -> PageResult {
    let place = VisitedPlace::from_request(&request).await?;
    let foreign = |kind| PageError::from_kind(kind, RefusalReason::ForeignForm);
    judge_form(request.raw.headers(), &OwnOrigin::from_public_url(&request.public_url.0)).map_err(foreign)?;
    let fields = FormFields::read(&request.raw.form().await?);
    let (home, now) = (place.home(), (request.services.clock)());
    let code = fields.text("code");
    let (administrator, source) = (&request.services.administrator, request.raw.address());
    let link = administrator.console_link_of(&home, code, now).await?;
    if let Some(link) = &link
        && let Some(other) = ConsoleVisit::of_other_holder(&request, link).await?
    {
        if fields.text("form").is_empty() {
            return Ok(ask(&request, &place, link, &other, code));
        }
        other.check_form(&fields).await?;
    }
    let begun = match link {
        Some(link) => administrator.exchange_console_link(link, source, now).await?,
        None => None,
    };
    let Some(cookie) = begun else {
        return Ok(sign_in(
            &request,
            &place,
            Some("This link has been used, or it is older than 60 seconds."),
        )
        .await);
    };
    entered(&request, &home, &cookie)
}

/// Shows for whom a link is, where a session of another holder would be replaced. The code stays valid.
fn ask(
    request: &PageRequest,
    place: &VisitedPlace,
    link: &ConsoleSession,
    other: &ConsoleVisit<'_>,
    code: &str,
) -> HttpResponse {
    let text = "This browser is already signed in to the console as another user. If you did not create this link yourself, close this page.";
    let mut form = HtmlForm::button(
        format!("{}{}/link", request.public_url.path(), place.path()),
        &other.form_token(),
        "Continue",
    );
    form.hidden.push(("code", code.to_owned()));
    let facts = vec![
        fact("Tenant", link.tenant.to_string()),
        code_fact("This link signs you in as", link.actor.clone()),
        Fact { label: "The session ends at the latest", value: time(link.ends_at(other.now()).into()) },
        code_fact("You are signed in as", other.session.actor.clone()),
    ];
    let blocks =
        vec![Block::Alert(Meaning::Warning, text.to_owned()), Block::Facts(facts), Block::Form(form)];
    show(&outside(request, place, "Sign in as another user?", blocks))
}

/// Leads a browser that has a session from now on to the first page.
fn entered(request: &PageRequest, home: &TenantId, cookie: &Secret) -> PageResult {
    let cookie = Cookies::from_public_url(&request.public_url).set(
        CookieName::Console(home),
        cookie.expose(),
        None,
    )?;
    let mut response = lead_to(request, &path_of(home));
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// Ends the session.
pub(super) async fn sign_out(visit: &ConsoleVisit<'_>, _: &FormFields) -> PageResult {
    visit.administrator().end_console_session(&visit.session).await?;
    let mut response = sign_in(visit.request, &visit.place, Some("You are signed out.")).await;
    let cookies = Cookies::from_public_url(&visit.request.public_url);
    let removed = cookies.remove(CookieName::Console(&visit.session.tenant))?;
    response.headers_mut().append(SET_COOKIE, removed);
    Ok(response)
}

impl ConsoleVisit<'_> {
    /// Asks the holder to authenticate again: a person by the password, all others by a new link.
    pub(super) fn ask_again(&self, current: &str) -> HttpResponse {
        let text = "This takes something away for good, and your sign-in is older than 15 minutes.";
        let mut blocks = vec![Block::Alert(Meaning::Warning, text.to_owned())];
        if matches!(self.session.holder, ConsoleHolder::Account(_)) {
            let account = self.request.public_url.path_of(&self.session.tenant, ACCOUNT_PATH);
            let name = "Sign in again, and open the console from your account".to_owned();
            blocks.push(Block::Links(vec![Link { name, url: format!("{account}?{SIGN_IN_AGAIN}") }]));
        } else {
            blocks.push(Block::Text("Run this command again, and open the link that it prints:".to_owned()));
            blocks.push(Block::Code("Command".to_owned(), command(&self.place)));
        }
        self.show(current, "Sign in again", blocks)
    }
}

fn command(place: &VisitedPlace) -> String {
    match place {
        VisitedPlace::Platform => "latchkey console".to_owned(),
        VisitedPlace::Tenant(tenant) => {
            ShellCommand::new("latchkey console TENANT", &[("TENANT", tenant.as_str())]).to_string()
        }
    }
}

async fn sign_in(request: &PageRequest, place: &VisitedPlace, notice: Option<&str>) -> HttpResponse {
    let is_provider =
        request.services.tokens.tenants.resolve_openid_provider(place.home().as_str()).await.is_ok();
    let mut blocks: Vec<_> =
        notice.map(|text| Block::Alert(Meaning::Info, text.to_owned())).into_iter().collect();
    blocks.push(Block::Text(
        "The console acts for a credential that you have already. Run this command where you manage tenants, and open the link that it prints:"
            .to_owned(),
    ));
    blocks.push(Block::Code("Command".to_owned(), command(place)));
    if is_provider {
        let action = format!("{}{}/account", request.public_url.path(), place.path());
        blocks.push(Block::Text("Or come in with an account that has permissions:".to_owned()));
        blocks.push(Block::Form(HtmlForm::button(action, "", "Use my account")));
    }
    show(&outside(request, place, "Sign in to the console", blocks))
}
