//! Sign-in and sign-out of the console: a page explains how to sign in, and a link contains a code
//! that is exchanged for a session.

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use administration::administrator::console_session::{ConsoleHolder, ConsoleSession};
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

/// Explains how to sign in.
pub(super) async fn page(request: PageRequest) -> PageResult {
    let place = VisitedPlace::from_request(&request).await?;
    Ok(sign_in(&request, &place, None).await)
}

/// The page of a sign-in link. Its script takes the code from the fragment and sends it. Without
/// scripts the person does.
pub(super) async fn link(request: PageRequest) -> PageResult {
    let place = VisitedPlace::from_request(&request).await?;
    let action = format!("{}{}/link", request.public_url.path(), place.path());
    let texts = &request.texts().console.entry;
    let field = Field::new("code", texts.code, Input::Fragment).hint(texts.code_hint);
    let form = HtmlForm::button(action, "", texts.open).meaning(Meaning::Info).with(vec![field]);
    Ok(show(&outside(&request, &place, texts.open, vec![Block::Form(form)])))
}

/// Creates a session for the person who is signed in at the tenant. If nobody is, redirects to the
/// tenant's sign-in page.
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
        let text = request.texts().console.entry.no_permissions;
        return Ok(sign_in(&request, &place, Some(text)).await);
    }
    let source = raw.address();
    let cookie = services.administrator.begin_console_session(&signed_in, source, now).await?;
    entered(&request, &home, &cookie)
}

/// Exchanges the code for a session. If this browser has a session of another owner, shows the
/// owner of the link and asks first. Otherwise an administrator could use a link to sign other
/// people in with the administrator's session.
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
        let text = request.texts().console.entry.link_refused;
        return Ok(sign_in(&request, &place, Some(text)).await);
    };
    entered(&request, &home, &cookie)
}

/// Asks whether to replace the session. The code stays valid.
fn ask(
    request: &PageRequest,
    place: &VisitedPlace,
    link: &ConsoleSession,
    other: &ConsoleVisit<'_>,
    code: &str,
) -> HttpResponse {
    let (texts, labels) = (&request.texts().console.entry, &request.texts().console.labels);
    let mut form = HtmlForm::button(
        format!("{}{}/link", request.public_url.path(), place.path()),
        &other.form_token(),
        request.texts().go_on,
    );
    form.hidden.push(("code", code.to_owned()));
    let facts = vec![
        fact(labels.tenant, link.tenant.to_string()),
        code_fact(texts.link_user, link.actor.clone()),
        Fact { label: texts.session_expires, value: time(link.ends_at(other.now()).into()) },
        code_fact(texts.current_user, other.session.actor.clone()),
    ];
    let blocks = vec![
        Block::Alert(Meaning::Warning, texts.replace.to_owned()),
        Block::Facts(facts),
        Block::Form(form),
    ];
    show(&outside(request, place, texts.replace_title, blocks))
}

/// Sets the session's cookie and redirects to the overview.
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

pub(super) async fn sign_out(visit: &ConsoleVisit<'_>, _: &FormFields) -> PageResult {
    visit.administrator().end_console_session(&visit.session).await?;
    let mut response = sign_in(visit.request, &visit.place, Some(visit.texts().entry.signed_out)).await;
    let cookies = Cookies::from_public_url(&visit.request.public_url);
    let removed = cookies.remove(CookieName::Console(&visit.session.tenant))?;
    response.headers_mut().append(SET_COOKIE, removed);
    Ok(response)
}

impl ConsoleVisit<'_> {
    /// Asks the owner to authenticate again: a person with the password, others with a new link.
    pub(super) fn ask_again(&self, current: &str) -> HttpResponse {
        let texts = &self.texts().entry;
        let mut blocks = vec![Block::Alert(Meaning::Warning, texts.again.to_owned())];
        if matches!(self.session.holder, ConsoleHolder::Account(_)) {
            let account = self.request.public_url.path_of(&self.session.tenant, ACCOUNT_PATH);
            let name = texts.again_by_account.to_owned();
            blocks.push(Block::Links(vec![Link { name, url: format!("{account}?{SIGN_IN_AGAIN}") }]));
        } else {
            blocks.push(Block::Text(texts.again_by_command.to_owned()));
            blocks.push(Block::Code(texts.command.to_owned(), command(&self.place)));
        }
        self.show(current, texts.again_title, blocks)
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
    let texts = &request.texts().console.entry;
    let mut blocks: Vec<_> =
        notice.map(|text| Block::Alert(Meaning::Info, text.to_owned())).into_iter().collect();
    blocks.push(Block::Text(texts.by_command.to_owned()));
    blocks.push(Block::Code(texts.command.to_owned(), command(place)));
    if is_provider {
        let action = format!("{}{}/account", request.public_url.path(), place.path());
        blocks.push(Block::Text(texts.by_account.to_owned()));
        blocks.push(Block::Form(HtmlForm::button(action, "", texts.use_account)));
    }
    show(&outside(request, place, texts.title, blocks))
}
