//! Sign-in and sign-out of the console: a page explains how to sign in, and a link contains a code
//! that is exchanged for a session.

use actix_web::HttpResponse;
use actix_web::http::header::SET_COOKIE;
use administration::administrator::console_session::{ConsoleHolder, ConsoleSession};
use pages::console::{Block, Field, HtmlForm, Input};
use pages::{Fact, Link, Meaning};
use protocol::RefusalReason;
use sessions::{SessionToken, SignedIn};
use tenancy::TenantId;
use values::{Secret, ShellCommand};

use super::form::FormFields;
use super::frame::outside;
use super::paths::{WANTED, path_of, wanted, with_wanted};
use super::shown::{code as code_fact, fact, time};
use super::visit::{ConsoleVisit, VisitedPlace, is_served, lead_to, parameter, show};
use crate::Services;
use crate::options::BaseUrl;
use crate::page::{
    ACCOUNT_PATH, CookieName, Cookies, OwnOrigin, PageError, PageRequest, PageResult, SIGN_IN_AGAIN,
    judge_form,
};
use crate::request::RawRequest;

/// Explains how to sign in. Tells a person without permissions so.
pub(super) async fn page(request: PageRequest) -> PageResult {
    let place = VisitedPlace::from_request(&request).await?;
    let signed_in = person(&request, &place.home()).await?;
    let notice = signed_in.is_some_and(|(_, has_permissions)| !has_permissions);
    let notice = notice.then_some(request.texts().console.entry.no_permissions);
    Ok(sign_in(&request, &place, notice).await)
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

/// Creates a session for the person who is signed in at the tenant. If nobody is, or if the person has
/// no permissions, redirects to the tenant's sign-in page, which leads back to the console.
pub(super) async fn by_account(mut request: PageRequest) -> PageResult {
    let place = VisitedPlace::from_request(&request).await?;
    let foreign = |kind| PageError::from_kind(kind, RefusalReason::ForeignForm);
    judge_form(request.raw.headers(), &OwnOrigin::from_public_url(&request.public_url.0)).map_err(foreign)?;
    let home = place.home();
    request.services.tokens.tenants.resolve_openid_provider(home.as_str()).await?;
    let to = FormFields::read(&request.raw.form().await?).given(WANTED).and_then(|to| wanted(&home, to));
    let to = to.unwrap_or_else(|| path_of(&home));
    let PageRequest { services, public_url, raw } = &request;
    match person(&request, &home).await? {
        Some((signed_in, true)) => enter(services, public_url, raw, &signed_in, &to).await,
        other => {
            let again = other.map_or(String::new(), |_| format!("?{SIGN_IN_AGAIN}"));
            let account = format!("/api/v1/tenant/{home}{ACCOUNT_PATH}{again}");
            Ok(lead_to(public_url, &with_wanted(account, Some(&to))))
        }
    }
}

/// The person who is signed in at the tenant with this browser, and whether the person has
/// permissions.
async fn person(
    PageRequest { services, public_url, raw }: &PageRequest,
    home: &TenantId,
) -> PageResult<Option<(SignedIn, bool)>> {
    let cookies = Cookies::from_public_url(public_url);
    let token = cookies.read(raw.headers(), CookieName::Session(home)).and_then(SessionToken::parse);
    let provider = services.tokens.tenants.resolve_openid_provider(home.as_str()).await.ok();
    let Some((token, tenant)) = token.zip(provider) else { return Ok(None) };
    let now = (services.clock)();
    let found = services.sessions.find(home, tenant.sign_in.session, &token, now).await?;
    let Some(signed_in) = found else { return Ok(None) };
    let account = services.rows.accounts.find_account(home, signed_in.account()).await?;
    let has_permissions = account.is_some_and(|account| !account.permissions.is_empty());
    Ok(Some((signed_in, has_permissions)))
}

/// Where to go after a sign-in on the account page that began at the console: to the page `to`, or to
/// the console's sign-in page if the person has no permissions. `None` if this listener does not serve
/// the console.
pub(crate) async fn enter_from_account(
    services: &Services,
    public_url: &BaseUrl,
    raw: &RawRequest,
    signed_in: &SignedIn,
    to: &str,
) -> PageResult<Option<HttpResponse>> {
    let home = &signed_in.session().tenant;
    let Some(to) = wanted(home, to) else { return Ok(None) };
    if !is_served(services, public_url, raw, home).await? {
        return Ok(None);
    }
    let account = services.rows.accounts.find_account(home, signed_in.account()).await?;
    if account.is_none_or(|account| account.permissions.is_empty()) {
        let sign_in = with_wanted(format!("{}/sign-in", path_of(home)), Some(&to));
        return Ok(Some(lead_to(public_url, &sign_in)));
    }
    enter(services, public_url, raw, signed_in, &to).await.map(Some)
}

/// Creates a session for a person with permissions.
async fn enter(
    services: &Services,
    public_url: &BaseUrl,
    raw: &RawRequest,
    signed_in: &SignedIn,
    to: &str,
) -> PageResult {
    let (source, now) = (raw.address(), (services.clock)());
    let cookie = services.administrator.begin_console_session(signed_in, source, now).await?;
    entered(public_url, &signed_in.session().tenant, &cookie, to)
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
    entered(&request.public_url, &home, &cookie, &path_of(&home))
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
        fact(texts.current_user, &*other.person.name),
    ];
    let blocks = vec![
        Block::Alert(Meaning::Warning, texts.replace.to_owned()),
        Block::Facts(facts),
        Block::Form(form),
    ];
    show(&outside(request, place, texts.replace_title, blocks))
}

/// Sets the session's cookie and redirects to a page of the console.
fn entered(public_url: &BaseUrl, home: &TenantId, cookie: &Secret, to: &str) -> PageResult {
    let cookie =
        Cookies::from_public_url(public_url).set(CookieName::Console(home), cookie.expose(), None)?;
    let mut response = lead_to(public_url, to);
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
            let to = wanted(&self.session.tenant, self.request.raw.path());
            let url = with_wanted(format!("{account}?{SIGN_IN_AGAIN}"), to.as_deref());
            blocks.push(Block::Links(vec![Link { name, url }]));
        } else {
            blocks.push(Block::Text(texts.again_by_command.to_owned()));
            blocks.extend(commands(self.request, &self.place));
        }
        self.show(current, texts.again_title, blocks)
    }
}

/// The command beside the store, and from another machine.
fn commands(request: &PageRequest, place: &VisitedPlace) -> [Block; 2] {
    let texts = &request.texts().console.entry;
    let url = request.services.administrator.public_url();
    let form = match place {
        VisitedPlace::Platform => ["latchkey console", "latchkey console --server=URL"],
        VisitedPlace::Tenant(_) => ["latchkey console TENANT", "latchkey console TENANT --server=URL"],
    };
    let home = place.home();
    let [here, elsewhere] =
        form.map(|form| ShellCommand::new(form, &[("TENANT", home.as_str()), ("URL", url)]).to_string());
    [Block::Code(texts.command.to_owned(), here), Block::Code(texts.command_elsewhere.to_owned(), elsewhere)]
}

async fn sign_in(request: &PageRequest, place: &VisitedPlace, notice: Option<&str>) -> HttpResponse {
    let is_provider =
        request.services.tokens.tenants.resolve_openid_provider(place.home().as_str()).await.is_ok();
    let texts = &request.texts().console.entry;
    let mut blocks: Vec<_> =
        notice.map(|text| Block::Alert(Meaning::Info, text.to_owned())).into_iter().collect();
    if is_provider {
        let action = format!("{}{}/account", request.public_url.path(), place.path());
        let form = HtmlForm::button(action, "", texts.use_account).meaning(Meaning::Info);
        let to = parameter(&request.raw, WANTED).and_then(|to| wanted(&place.home(), &to));
        blocks.push(Block::Form(form.sending(WANTED, to.unwrap_or_default())));
    }
    blocks.push(Block::Text(if is_provider { texts.or_by_command } else { texts.by_command }.to_owned()));
    blocks.extend(commands(request, place));
    show(&outside(request, place, texts.title, blocks))
}
