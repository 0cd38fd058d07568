//! A person's checked request for a page: the tenant, the browser and the time that every step works with.

use std::sync::Arc;

use accounts::{Account, Identifier};
use actix_web::HttpResponse;
use pages::{Common, ErrorKind};
use protocol::{AuthorizationError, AuthorizationErrorCode, RefusalReason};
use registry::Client;
use sessions::{Flow, FlowStep, PersonRequest, SessionWrite, SignedIn};
use tenancy::{Stored, Tenant, TenantError};
use values::Timestamp;

use super::browser::Browser;
use crate::Services;
use crate::options::BaseUrl;
use crate::page::{ACCOUNT_PATH, Cookies, PageError, PageRequest, PageResult, common_of, judge_navigation};
use crate::request::RawRequest;

/// A person at a tenant, in a browser.
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

/// The target of a form, and its hidden field.
pub(super) struct SealedForm {
    pub(super) action: String,
    pub(super) flow: String,
}

impl<'r> Visit<'r> {
    /// A window that navigates here.
    pub(super) async fn of_navigation(request: &'r PageRequest) -> PageResult<Self> {
        let tenant = navigated_tenant(request).await?;
        Ok(Self::at(request, tenant))
    }

    /// A visit at a known tenant.
    pub(super) fn at(request: &'r PageRequest, tenant: Arc<Tenant>) -> Self {
        let PageRequest { services, public_url, raw } = request;
        let browser = Browser::new(Cookies::from_public_url(public_url), raw.headers());
        let now = (services.clock)();
        Self { services, public_url, raw, tenant, browser, asks_for_cookies: false, now }
    }

    /// The person who is signed in.
    pub(super) async fn signed_in(&self) -> Stored<Option<SignedIn>> {
        self.browser.signed_in(self.services, &self.tenant, self.now).await
    }

    /// Writes a session that has begun. Returns whether it was written: the session that it continues may
    /// have ended meanwhile in another window. The person then has to sign in again.
    pub(super) async fn write_session(&self, begun: &SessionWrite) -> Stored<bool> {
        let written = self.services.sessions.write(begun).await;
        self.notice_end(begun);
        written
    }

    /// Notes on this replica that another person's session has ended with this one, which was or may have
    /// been written.
    pub(super) fn notice_end(&self, begun: &SessionWrite) {
        if begun.ends_another() {
            self.services.tokens.engine.notice_revocations(&self.tenant.id);
        }
    }

    /// The account of the signed-in person.
    pub(super) async fn account(&self, signed_in: &SignedIn) -> Stored<Option<Arc<Account>>> {
        self.services.rows.accounts.find_account(&self.tenant.id, signed_in.account()).await
    }

    /// The identifier by which the signed-in person knows the account.
    pub(super) async fn sign_in_name(&self, signed_in: &SignedIn) -> Stored<Option<String>> {
        let account = self.account(signed_in).await?;
        Ok(account.as_deref().and_then(sign_in_name))
    }

    /// The identifier, or the account's id if it has no such identifier any more.
    pub(super) async fn shown_name(&self, signed_in: &SignedIn) -> Stored<String> {
        Ok(person(self.account(signed_in).await?.as_deref(), signed_in).1)
    }

    /// Whether the person has typed the identifier of another account than the session's. The password check
    /// handles a text that is no identifier.
    pub(super) async fn names_another(&self, signed_in: &SignedIn, typed: &str) -> Stored<bool> {
        let Ok(typed) = Identifier::parse(typed) else { return Ok(false) };
        let account = self.account(signed_in).await?;
        Ok(!account.is_some_and(|account| account.identifiers.iter().any(|held| held.identifier == typed)))
    }

    /// The common parts of its pages.
    pub(super) fn common(&self, client: Option<&Client>) -> Common {
        common_of(&self.tenant, client.map(|client| client.name.clone()), self.public_url)
    }

    /// The form of a page. The step decides where it leads.
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
            FlowStep::Account(_) => ACCOUNT_PATH,
        };
        let parameters = parameters.to_owned();
        let flow = Flow { parameters, started, step, asks_for_cookies: self.asks_for_cookies };
        let flow = self.services.flows.seal(&self.tenant.id, self.browser.id(), &flow);
        let flow = flow.ok_or_else(PageError::too_long)?;
        Ok(SealedForm { action: self.public_url.path_of(&self.tenant.id, endpoint), flow })
    }

    /// The error for a form that no page of this browser and tenant leads to.
    pub(super) fn foreign() -> PageError {
        PageError::from_kind(ErrorKind::ForeignForm, RefusalReason::ForeignForm)
    }

    /// Has the access log name the client.
    pub(super) fn log_client(&self, client: &Client) {
        self.raw.log(|fields| {
            fields.client = Some(client.id.clone());
            fields.is_client_unproven = true;
        });
    }

    /// The response with the cookies that the browser gets.
    pub(super) fn finish(self, response: HttpResponse) -> HttpResponse {
        self.browser.finish(response)
    }
}

/// The name of a person, if the account has one, and the identifier by which the person knows the account, or
/// the account's id.
pub(super) fn person(account: Option<&Account>, signed_in: &SignedIn) -> (Option<String>, String) {
    let name = account.and_then(|account| account.claims.get("name")?.as_str());
    let known = account.and_then(sign_in_name);
    (name.map(str::to_owned), known.unwrap_or_else(|| signed_in.account().to_string()))
}

/// How a person knows the account.
fn sign_in_name(account: &Account) -> Option<String> {
    let known = account.email().or_else(|| account.username())?;
    Some(known.identifier.as_str().to_owned())
}

/// The tenant of a request that a window sends, by a navigation or by a form. Other requests are refused
/// unread.
pub(super) async fn navigated_tenant(request: &PageRequest) -> PageResult<Arc<Tenant>> {
    let tenant = openid_provider(request).await?;
    visited(request, tenant)
}

/// The tenant of a request to the authorization endpoint. The metadata of a tenant names this endpoint even
/// if nobody can sign in there; it then responds with a page of the tenant.
pub(super) async fn authorizing_tenant(request: &PageRequest) -> PageResult<Arc<Tenant>> {
    let tenant = match openid_provider(request).await {
        Err(TenantError::StrategyNotEnabled(tenant)) if tenant.strategies.oauth2 => {
            visited(request, tenant)?;
            let description = "Nobody signs in at this server: it gives tokens to services alone";
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

/// The tenant, once its pages answer and the request is known to be a window's.
fn visited(request: &PageRequest, tenant: Arc<Tenant>) -> PageResult<Arc<Tenant>> {
    let PageRequest { services, raw, .. } = request;
    raw.visit(services, &tenant);
    judge_navigation(raw.headers())
        .map_err(|kind| PageError::from_kind(kind, RefusalReason::NotANavigation))?;
    Ok(tenant)
}
