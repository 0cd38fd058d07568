//! A request of a person for a page, after its first checks: tenant, browser and time.

use std::sync::Arc;

use accounts::{Account, AccountId, Identifier};
use actix_web::HttpResponse;
use administration::administrator::{Caller, CodePage};
use administration::kinds::authority::Authority;
use pages::{Common, ErrorKind, SealedForm};
use protocol::{AuthorizationError, AuthorizationErrorCode, ErrorCode, RefusalReason};
use registry::Client;
use sessions::{Flow, FlowStep, PersonRequest, SessionWrite, SignedIn};
use tenancy::{Stored, Tenant, TenantError};
use values::Timestamp;

use super::browser::Browser;
use crate::Services;
use crate::options::BaseUrl;
use crate::page::{
    ACCOUNT_PATH, Cookies, PageError, PageRequest, PageResult, RECOVERY_PATH, common_of, judge_navigation,
};
use crate::request::{RawRequest, ServerFailure};

/// Where people confirm an address.
pub(super) const VERIFY_PATH: &str = "/oauth/verify";

pub(super) struct Visit<'r> {
    pub(super) services: &'r Services,
    pub(super) public_url: &'r BaseUrl,
    pub(super) raw: &'r RawRequest,
    pub(super) tenant: Arc<Tenant>,
    pub(super) browser: Browser<'r>,
    /// Whether the page asks the person to allow cookies.
    pub(super) asks_for_cookies: bool,
    pub(super) now: Timestamp,
}

impl<'r> Visit<'r> {
    /// For a navigation, such as a link or a redirect.
    pub(super) async fn of_navigation(request: &'r PageRequest) -> PageResult<Self> {
        let tenant = navigated_tenant(request).await?;
        Ok(Self::at(request, tenant))
    }

    /// If the tenant is already known.
    pub(super) fn at(request: &'r PageRequest, tenant: Arc<Tenant>) -> Self {
        let PageRequest { services, public_url, raw } = request;
        let browser = Browser::new(Cookies::from_public_url(public_url), raw.headers());
        let now = (services.clock)();
        Self { services, public_url, raw, tenant, browser, asks_for_cookies: false, now }
    }

    pub(super) async fn signed_in(&self) -> Stored<Option<SignedIn>> {
        self.browser.signed_in(self.services, &self.tenant, self.now).await
    }

    /// Stores a new session. Returns false if the session that it continues has ended in another
    /// window. The person then has to sign in again.
    pub(super) async fn write_session(&self, begun: &SessionWrite) -> Stored<bool> {
        let written = self.services.sessions.write(begun).await;
        self.notice_end(begun);
        written
    }

    /// Call it after storing a session that replaces another person's session, so that this replica
    /// notices the revocations. Also if storing may have failed.
    pub(super) fn notice_end(&self, begun: &SessionWrite) {
        if begun.ends_another() {
            self.services.tokens.engine.notice_revocations(&self.tenant.id);
        }
    }

    pub(super) async fn account(&self, signed_in: &SignedIn) -> Stored<Option<Arc<Account>>> {
        self.services.rows.accounts.find_account(&self.tenant.id, signed_in.account()).await
    }

    /// The identifier that the person signs in with.
    pub(super) async fn sign_in_name(&self, signed_in: &SignedIn) -> Stored<Option<String>> {
        let account = self.account(signed_in).await?;
        Ok(account.as_deref().and_then(Account::sign_in_name).map(str::to_owned))
    }

    /// The identifier, or the account's id if the account no longer has an identifier.
    pub(super) async fn shown_name(&self, signed_in: &SignedIn) -> Stored<String> {
        Ok(person(self.account(signed_in).await?.as_deref(), signed_in).1)
    }

    /// Whether the person typed the identifier of another account. False for a text that is not an
    /// identifier; the password check refuses it.
    pub(super) async fn names_another(&self, signed_in: &SignedIn, typed: &str) -> Stored<bool> {
        let Ok(typed) = Identifier::parse(typed) else { return Ok(false) };
        let account = self.account(signed_in).await?;
        Ok(!account.is_some_and(|account| account.identifiers.iter().any(|held| held.identifier == typed)))
    }

    pub(super) fn common(&self, client: Option<&Client>) -> Common {
        common_of(&self.tenant, client.map(|client| client.name.clone()), self.public_url)
    }

    /// `step` decides the target of the form.
    pub(super) fn form(
        &self,
        parameters: &str,
        step: FlowStep,
        started: Timestamp,
    ) -> PageResult<SealedForm> {
        let endpoint = match step {
            FlowStep::SignIn | FlowStep::SelectAccount { .. } | FlowStep::Consent { .. } => "/oauth/sign-in",
            FlowStep::SignOut(_) => "/oauth/logout",
            FlowStep::Device(_) => "/device",
            FlowStep::Account(PersonRequest::Link) => "/account/set-password",
            FlowStep::Account(PersonRequest::AddressLink | PersonRequest::UndoLink) => VERIFY_PATH,
            FlowStep::Recovery(_) => RECOVERY_PATH,
            FlowStep::Account(_) => ACCOUNT_PATH,
        };
        let parameters = parameters.to_owned();
        let flow = Flow { parameters, started, step, asks_for_cookies: self.asks_for_cookies };
        let flow = self.services.flows.seal(&self.tenant.id, self.browser.id(), &flow);
        let flow = flow.ok_or_else(PageError::too_long)?;
        Ok(SealedForm { action: self.public_url.path_of(&self.tenant.id, endpoint), flow })
    }

    /// Whether people can reset a forgotten password.
    pub(super) fn offers_recovery(&self) -> bool {
        self.tenant.sign_in.recovery && self.sends_mail()
    }

    pub(super) fn sends_mail(&self) -> bool {
        self.services.administrator.sends_mail()
    }

    /// Refuses a page that the tenant does not offer.
    pub(super) fn require_offer(&self, is_offered: bool) -> PageResult<()> {
        let refused = || PageError::from_kind(ErrorKind::NotFound, RefusalReason::StrategyNotEnabled);
        is_offered.then_some(()).ok_or_else(refused)
    }

    /// The signed-in person as the caller of an operation of the admin API.
    pub(super) fn caller(&self, signed_in: &SignedIn) -> Caller {
        Caller::new(Authority::of_account_holder(signed_in, self.raw.address()), self.now)
    }

    /// Counts a change that the person of this account asks for.
    pub(super) fn spend(&self, account: &AccountId) -> PageResult<()> {
        let spent = self.services.writes.spend_of_person(&self.tenant.id, account, self.now);
        Ok(spent.map_err(ServerFailure::TooManyWrites)?)
    }

    /// A request about a mailed code. `page` is the page where the code is typed, and when it was asked for.
    pub(super) fn typed_at<'a>(&'a self, identifier: &'a str, page: (&'a str, Timestamp)) -> CodePage<'a> {
        let (tenant, source, now) = (&*self.tenant, self.raw.address(), self.now);
        CodePage { tenant, identifier, page: page.0, began: page.1, source, now }
    }

    /// A form that does not belong to this browser and tenant.
    pub(super) fn foreign() -> PageError {
        PageError::from_kind(ErrorKind::ForeignForm, RefusalReason::ForeignForm)
    }

    /// Notes in the access log that a password or a code was refused.
    pub(super) fn log_refusal(&self) {
        self.raw.log(|fields| {
            fields.error = Some(ErrorCode::AccessDenied);
            fields.reason = Some(RefusalReason::SignInFailed);
        });
    }

    pub(super) fn log_client(&self, client: &Client) {
        self.raw.log(|fields| {
            fields.client = Some(client.id.clone());
            fields.is_client_unproven = true;
        });
    }

    /// Adds the cookies to the response.
    pub(super) fn finish(self, response: HttpResponse) -> HttpResponse {
        self.browser.finish(response)
    }
}

/// The person's name, if known, and the identifier or the account's id.
pub(super) fn person(account: Option<&Account>, signed_in: &SignedIn) -> (Option<String>, String) {
    let name = account.and_then(|account| account.claims.get("name")?.as_str());
    let known = account.and_then(Account::sign_in_name).map(str::to_owned);
    (name.map(str::to_owned), known.unwrap_or_else(|| signed_in.account().to_string()))
}

/// The tenant of a navigation or form. Refuses other requests, such as those of scripts, without
/// reading their body.
pub(super) async fn navigated_tenant(request: &PageRequest) -> PageResult<Arc<Tenant>> {
    let tenant = openid_provider(request).await?;
    visited(request, tenant)
}

/// The tenant of a request to the authorization endpoint. The metadata contains this endpoint even
/// if nobody can sign in to the tenant; it then shows an error page of the tenant.
pub(super) async fn authorizing_tenant(request: &PageRequest) -> PageResult<Arc<Tenant>> {
    let tenant = match openid_provider(request).await {
        Err(TenantError::StrategyNotEnabled(tenant)) if tenant.strategies.oauth2 => {
            visited(request, tenant)?;
            let description = "This server does not offer sign-in: it issues tokens only to services";
            let refused =
                AuthorizationError::new(AuthorizationErrorCode::UnsupportedResponseType, description);
            return Err(PageError::refused(refused).because(RefusalReason::StrategyNotEnabled));
        }
        resolved => resolved?,
    };
    visited(request, tenant)
}

async fn openid_provider(
    PageRequest { services, raw, .. }: &PageRequest,
) -> Result<Arc<Tenant>, TenantError> {
    services.tokens.tenants.resolve_openid_provider(raw.tenant_or_default()).await
}

/// Checks the browser's headers, and shows error pages in the tenant's theme from now on.
fn visited(request: &PageRequest, tenant: Arc<Tenant>) -> PageResult<Arc<Tenant>> {
    let PageRequest { services, raw, .. } = request;
    raw.visit(services, &tenant);
    judge_navigation(raw.headers())
        .map_err(|kind| PageError::from_kind(kind, RefusalReason::NotANavigation))?;
    Ok(tenant)
}
