//! A request for a page of the console, with its session and the permissions of the session's
//! owner.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use administration::administrator::console_session::ConsoleSession;
use administration::administrator::{Administrator, Caller};
use administration::edit::EditError;
use administration::kinds::Permission;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use pages::{ConsoleTexts, ErrorKind, HtmlPage, Person};
use protocol::RefusalReason;
use registry::ClientId;
use tenancy::{Tenant, TenantError, TenantId};
use url::form_urlencoded;
use values::Timestamp;

use super::form::FormFields;
use super::holder::authority;
use super::paths::{path_of, wanted, with_wanted};
use crate::options::BaseUrl;
use crate::page::{
    CookieName, Cookies, Opener, OwnOrigin, PageError, PageRequest, PageResult, judge_form, judge_navigation,
    respond,
};
use crate::request::{RawRequest, ServerFailure};
use crate::respond::no_store;
use crate::routes::admin::{decoded, encoded};
use crate::{Services, TenantConsole};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VisitedPlace {
    Platform,
    Tenant(TenantId),
}

/// The maximum number of tenants whose sessions are looked up before a link is exchanged.
const MOST_HOMES: usize = 16;

pub(super) struct ConsoleVisit<'r> {
    pub(super) request: &'r PageRequest,
    pub(super) place: VisitedPlace,
    pub(super) session: ConsoleSession,
    pub(super) caller: Caller,
    /// The tenant, also if it is suspended. `None` on the pages of the platform.
    pub(super) row: Option<Arc<Tenant>>,
    /// The owner of the session.
    pub(super) person: Person,
}

/// Why a deletion needs another step.
pub(super) enum Danger {
    /// The sign-in is too old.
    Unproven,
    /// The name of the row was not typed. Contains the message.
    Unnamed(String),
}

impl VisitedPlace {
    /// 404 if this listener does not serve the console of the place.
    pub(super) async fn from_request(request: &PageRequest) -> PageResult<Self> {
        let PageRequest { services, public_url, raw } = request;
        let unknown = || PageError::from(ServerFailure::UnknownPath);
        judge_navigation(raw.headers())
            .map_err(|kind| PageError::from_kind(kind, RefusalReason::NotANavigation))?;
        let surface = raw.listener().map(|listener| listener.surface).ok_or_else(unknown)?;
        if !raw.is_plain() {
            return Err(unknown());
        }
        let Some(id) = raw.place("id") else {
            let is_served = surface.operator_console && raw.is_confidential(public_url);
            return if is_served { Ok(Self::Platform) } else { Err(unknown()) };
        };
        let tenant = TenantId::parse(id).map_err(|_| unknown())?;
        if is_served(services, public_url, raw, &tenant).await? {
            Ok(Self::Tenant(tenant))
        } else {
            Err(unknown())
        }
    }

    async fn row(&self, request: &PageRequest) -> PageResult<Option<Arc<Tenant>>> {
        let Self::Tenant(id) = self else { return Ok(None) };
        match request.services.tokens.tenants.resolve(id.as_str()).await {
            Ok(tenant) | Err(TenantError::Suspended(tenant) | TenantError::StrategyNotEnabled(tenant)) => {
                Ok(Some(tenant))
            }
            Err(TenantError::Store(error)) => Err(error.into()),
            Err(TenantError::Unknown) => Ok(None),
        }
    }

    pub(super) fn path(&self) -> String {
        match self {
            Self::Platform => path_of(&TenantId::platform()),
            Self::Tenant(tenant) => format!("/console/t/{tenant}"),
        }
    }

    /// The tenant whose administrators may use the pages: `platform` for operators.
    pub(super) fn home(&self) -> TenantId {
        match self {
            Self::Platform => TenantId::platform(),
            Self::Tenant(tenant) => tenant.clone(),
        }
    }

    /// The tenants whose sessions are accepted, the page's own tenant first.
    fn homes(&self, request: &PageRequest) -> Vec<TenantId> {
        let serves_operators =
            request.raw.listener().is_some_and(|listener| listener.surface.operator_console);
        let own = self.home();
        let platform = TenantId::platform();
        if own == platform || !serves_operators { vec![own] } else { vec![own, platform] }
    }
}

impl<'r> ConsoleVisit<'r> {
    /// `None` if this browser has no valid session.
    pub(super) async fn from_request(
        request: &'r PageRequest,
        place: &VisitedPlace,
    ) -> PageResult<Option<Self>> {
        for home in place.homes(request) {
            if let Some(visit) = Self::at_home(request, place, &home).await? {
                request.raw.log(|fields| fields.tenant = Some(home));
                return Ok(Some(visit));
            }
        }
        Ok(None)
    }

    /// As [`Self::from_request`], only for sessions at `home`.
    async fn at_home(
        request: &'r PageRequest,
        place: &VisitedPlace,
        home: &TenantId,
    ) -> PageResult<Option<Self>> {
        let PageRequest { services, public_url, raw } = request;
        let (now, cookies) = ((services.clock)(), Cookies::from_public_url(public_url));
        let Some(cookie) = cookies.read(raw.headers(), CookieName::Console(home)) else { return Ok(None) };
        let found = services.administrator.console_session_of(home, cookie, now).await?;
        let Some(session) = found else { return Ok(None) };
        let Some((authority, name)) = authority(services, &session, raw.address()).await? else {
            return Ok(None);
        };
        let (row, place) = (place.row(request).await?, place.clone());
        let by_command = name.strip_prefix("cli:").map(request.texts().console.audit.by_command);
        let person = Person { name: by_command.unwrap_or(name), id: session.actor.clone() };
        Ok(Some(Self { request, place, session, caller: Caller::new(authority, now), row, person }))
    }

    /// The first session of this browser, at any tenant, that belongs to another owner than the
    /// link.
    pub(super) async fn of_other_holder(
        request: &'r PageRequest,
        link: &ConsoleSession,
    ) -> PageResult<Option<Self>> {
        let cookies = Cookies::from_public_url(&request.public_url);
        let own = [link.tenant.clone(), TenantId::platform()];
        let others = cookies.consoles(request.raw.headers()).filter(|tenant| !own.contains(tenant));
        let homes: Vec<_> = own.iter().cloned().chain(others).take(MOST_HOMES).collect();
        let is_of_holder =
            |visit: &Self| visit.session.tenant == link.tenant && visit.session.actor == link.actor;
        for home in homes {
            let place = VisitedPlace::Tenant(home.clone());
            let Some(visit) = Self::at_home(request, &place, &home).await? else { continue };
            if !is_of_holder(&visit) {
                return Ok(Some(visit));
            }
        }
        Ok(None)
    }

    /// Refuses a form that was not sent by a page of this session, and an owner with too many
    /// writes.
    pub(super) async fn check_form(&self, fields: &FormFields) -> PageResult<()> {
        let PageRequest { services, public_url, raw } = self.request;
        let foreign = |kind| PageError::from_kind(kind, RefusalReason::ForeignForm);
        judge_form(raw.headers(), &OwnOrigin::from_public_url(&public_url.0)).map_err(foreign)?;
        let sent = fields.text("form");
        if verify_slices_are_equal(sent.as_bytes(), self.form_token().as_bytes()).is_err() {
            return Err(foreign(ErrorKind::ForeignForm));
        }
        let home = &self.session.tenant;
        let limit = match services.tokens.tenants.resolve(home.as_str()).await {
            Ok(tenant) => tenant.limits.admin_writes,
            Err(TenantError::Store(error)) => return Err(error.into()),
            Err(_) => None,
        };
        Ok(services.writes.spend(home, limit, self.caller.now).map_err(ServerFailure::TooManyWrites)?)
    }

    /// The hidden field of the session's forms, against cross-site requests.
    pub(super) fn form_token(&self) -> String {
        BASE64URL.encode(self.administrator().console_form_token(&self.session))
    }

    pub(super) fn texts(&self) -> &'static ConsoleTexts {
        &self.request.texts().console
    }

    pub(super) fn administrator(&self) -> &Administrator {
        &self.request.services.administrator
    }

    pub(super) fn now(&self) -> Timestamp {
        self.caller.now
    }

    /// The display name of the tenant or of the platform.
    pub(super) fn title(&self) -> &str {
        self.row.as_ref().map_or(self.texts().frame.platform, |tenant| &tenant.name)
    }

    /// `platform` for the platform's own pages.
    pub(super) fn tenant(&self) -> TenantId {
        self.place.home()
    }

    /// The page's tenant, also if it is suspended.
    pub(super) fn tenant_row(&self) -> PageResult<&Tenant> {
        self.row.as_deref().ok_or_else(|| ServerFailure::UnknownPath.into())
    }

    /// The client in the path.
    pub(super) fn client(&self) -> PageResult<ClientId> {
        let named = decoded(&self.request.raw, "client").and_then(|name| name.parse().ok());
        named.ok_or_else(|| ServerFailure::UnknownPath.into())
    }

    /// A deletion requires a recent sign-in and the typed name of the row.
    pub(super) fn check_danger(&self, fields: &FormFields, name: &str) -> Result<(), Danger> {
        if !self.session.is_proven_for_danger(self.now()) {
            return Err(Danger::Unproven);
        }
        if fields.text("confirm") == name {
            Ok(())
        } else {
            Err(Danger::Unnamed((self.texts().shared.unconfirmed)(name)))
        }
    }

    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        parameter(&self.request.raw, name)
    }

    /// 404 unless the owner has the permission for all tenants.
    pub(super) fn require_everywhere(&self, permission: Permission) -> PageResult<()> {
        let may = self.caller.authority.holds_everywhere(permission);
        if may { Ok(()) } else { Err(ServerFailure::UnknownPath.into()) }
    }

    /// 404 unless the owner has the permission for the page's tenant.
    pub(super) fn require_here(&self, permission: Permission) -> PageResult<()> {
        let may = self.caller.authority.holds_in(&self.tenant(), permission);
        if may { Ok(()) } else { Err(ServerFailure::UnknownPath.into()) }
    }

    pub(super) fn is_of_platform(&self) -> bool {
        self.session.tenant.as_str() == TenantId::PLATFORM
    }

    /// Includes the path under which a proxy serves this server.
    pub(super) fn path(&self, below: &str) -> String {
        format!("{}{}{below}", self.request.public_url.path(), self.place.path())
    }

    pub(super) fn application(&self, client: &str, below: &str) -> String {
        let home = VisitedPlace::Tenant(self.tenant()).path();
        format!("{}{home}/applications/{}{below}", self.request.public_url.path(), encoded(client))
    }
}

/// A parameter of the query, unless it is empty.
pub(super) fn parameter(raw: &RawRequest, name: &str) -> Option<String> {
    let found = form_urlencoded::parse(raw.query().as_bytes()).find(|(found, _)| found == name)?.1;
    Some(found.trim().to_owned()).filter(|found| !found.is_empty())
}

/// Whether the listener serves the console of a tenant over a confidential connection.
pub(super) async fn is_served(
    services: &Services,
    public_url: &BaseUrl,
    raw: &RawRequest,
    tenant: &TenantId,
) -> PageResult<bool> {
    let is_provider = match services.tokens.tenants.resolve_openid_provider(tenant.as_str()).await {
        Ok(_) => true,
        Err(TenantError::StrategyNotEnabled(_) | TenantError::Suspended(_)) => false,
        Err(TenantError::Store(error)) => return Err(error.into()),
        Err(TenantError::Unknown) => return Ok(false),
    };
    let Some(surface) = raw.listener().map(|listener| listener.surface) else { return Ok(false) };
    let is_of_operators = surface.operator_console;
    let is_served = match surface.console {
        _ if tenant.as_str() == TenantId::PLATFORM => is_of_operators,
        TenantConsole::OfAll => true,
        TenantConsole::OfProviders => is_of_operators || is_provider,
        TenantConsole::None => is_of_operators,
    };
    Ok(is_served && raw.is_confidential(public_url))
}

pub(super) fn show(page: &impl HtmlPage) -> HttpResponse {
    respond(StatusCode::OK, page, Opener::Severed)
}

/// Redirects to another page.
pub(super) fn lead_to(public_url: &BaseUrl, path: &str) -> HttpResponse {
    let location = format!("{}{path}", public_url.path());
    no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, location)).finish()
}

/// Redirects to the sign-in page, which leads back to the requested page.
pub(super) fn to_sign_in(request: &PageRequest, place: &VisitedPlace) -> HttpResponse {
    let wanted = wanted(&place.home(), request.raw.path()).filter(|path| *path != place.path());
    lead_to(&request.public_url, &with_wanted(format!("{}/sign-in", place.path()), wanted.as_deref()))
}

/// 404 for a row that the owner may not see, and for a row that does not exist. Other errors keep
/// their response.
pub(super) fn unseen(error: EditError) -> PageError {
    match error {
        EditError::Forbidden(_) | EditError::NotFound(_) => ServerFailure::UnknownPath.into(),
        error => error.into(),
    }
}
