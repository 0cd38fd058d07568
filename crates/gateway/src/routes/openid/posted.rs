//! A form: either of this server's pages with its sealed content, or of a client that sends its
//! request as a form.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use pages::{ErrorKind, SignInMessage};
use protocol::{Form, RefusalReason};
use sessions::{Flow, FlowError, SignedIn};
use tenancy::{Stored, Tenant};
use values::Secret;

use super::authorization::LONGEST;
use super::visit::{Visit, navigated_tenant};
use crate::page::{OwnOrigin, PageError, PageRequest, PageResult, judge_form};
use crate::request::WipedBody;
use crate::respond::no_store;

pub(super) struct Posted<'r> {
    /// The same as if the browser had navigated here.
    pub(super) visit: Visit<'r>,
    body: WipedBody,
}

/// A form with a valid seal.
pub(super) struct OpenedForm<'r> {
    pub(super) visit: Visit<'r>,
    pub(super) fields: Fields,
    pub(super) flow: Flow,
    /// Set if the form must be ignored and its flow starts again.
    pub(super) stale: Option<Stale>,
}

/// Why a sealed form is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stale {
    /// The page was open for too long.
    Expired,
    /// The browser did not send the cookie that the form is bound to.
    NoCookies,
}

pub(super) struct Fields {
    flow: String,
    pub(super) user_code: String,
    pub(super) identifier: String,
    /// Another email address for the account.
    pub(super) email: String,
    pub(super) password: Option<Secret>,
    pub(super) new_password: Option<Secret>,
    pub(super) decision: String,
    /// The session to end.
    pub(super) session: String,
    /// The client whose access to revoke.
    pub(super) client: String,
    /// A mailed code, or the code of a link.
    pub(super) code: String,
    /// Whether the session should outlive the browser.
    pub(super) remembers: bool,
}

impl<'r> Posted<'r> {
    /// Checks the browser's headers and reads the form.
    pub(super) async fn read(request: &'r mut PageRequest) -> PageResult<Self> {
        let tenant = navigated_tenant(request).await?;
        Self::at(request, tenant).await
    }

    /// As [`Self::read`], if the tenant is already known.
    pub(super) async fn at(request: &'r mut PageRequest, tenant: Arc<Tenant>) -> PageResult<Self> {
        let body = request.raw.form().await?;
        Ok(Self { visit: Visit::at(request, tenant), body })
    }

    /// Whether the form is of this server's pages.
    pub(super) fn has_flow(&self) -> bool {
        // If the field occurs twice, the form is refused later as malformed.
        Form::parse(&self.body).is_ok_and(|mut form| !matches!(form.take("flow"), Ok(None)))
    }

    /// Opens the seal, which is bound to this browser and tenant.
    pub(super) fn open(self) -> PageResult<OpenedForm<'r>> {
        let Self { mut visit, body } = self;
        let foreign = |kind| PageError::from_kind(kind, RefusalReason::ForeignForm);
        judge_form(visit.raw.headers(), &OwnOrigin::from_public_url(&visit.public_url.0)).map_err(foreign)?;
        let fields = Fields::take(&body).ok_or_else(Visit::foreign)?;
        let browser = visit.browser.sent_id();
        let opened = visit.services.flows.open(&visit.tenant.id, browser, &fields.flow, visit.now);
        let (flow, stale) = match opened {
            Ok(flow) => (flow, None),
            Err(FlowError::Expired(flow)) => (*flow, Some(Stale::Expired)),
            // Asks for cookies only once, so that the person need not type the password again and
            // again.
            Err(FlowError::NoCookies(flow)) if flow.asks_for_cookies => return Err(Stale::NoCookies.into()),
            Err(FlowError::NoCookies(flow)) => (*flow, Some(Stale::NoCookies)),
            Err(FlowError::Foreign) => return Err(Visit::foreign()),
        };
        visit.asks_for_cookies = stale == Some(Stale::NoCookies);
        Ok(OpenedForm { visit, fields, flow, stale })
    }

    /// The form encoded as a query.
    pub(super) fn parameters(&self) -> Result<&str, PageError> {
        let refused = |kind| PageError::from_kind(kind, RefusalReason::UnreadableBody);
        if self.body.len() > LONGEST {
            return Err(PageError::too_long());
        }
        let parameters = std::str::from_utf8(&self.body).ok();
        let parameters =
            parameters.filter(|parameters| parameters.bytes().all(|byte| byte.is_ascii_graphic()));
        parameters.ok_or_else(|| refused(ErrorKind::BadRequest))
    }

    /// Redirects to the same endpoint by GET, so that the browser sends the cookies that it
    /// withholds from a form of another site.
    pub(super) fn again(&self, endpoint: &str) -> PageResult {
        let parameters = self.parameters()?;
        let path = self.visit.public_url.path_of(&self.visit.tenant.id, endpoint);
        let location = format!("{path}?{parameters}");
        Ok(no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, location)).finish())
    }
}

impl<'r> OpenedForm<'r> {
    /// For a flow that cannot start again. A stale form is an error.
    pub(super) fn current(self) -> PageResult<(Visit<'r>, Fields, Flow)> {
        let Self { visit, fields, flow, stale } = self;
        stale.map_or(Ok((visit, fields, flow)), |stale| Err(stale.into()))
    }
}

impl Stale {
    /// The signed-in person of a stale form. Without the cookie, the form may come from another
    /// browser, so nobody counts as signed in.
    pub(super) async fn person(self, visit: &Visit<'_>) -> Stored<Option<SignedIn>> {
        match self {
            Self::Expired => visit.signed_in().await,
            Self::NoCookies => Ok(None),
        }
    }

    /// The message on the page that starts again.
    pub(super) const fn message(self) -> SignInMessage {
        match self {
            Self::Expired => SignInMessage::Expired,
            Self::NoCookies => SignInMessage::NoCookies,
        }
    }
}

impl From<Stale> for PageError {
    fn from(stale: Stale) -> Self {
        let kind = match stale {
            Stale::Expired => ErrorKind::Expired,
            Stale::NoCookies => ErrorKind::NoCookies,
        };
        Self::from_kind(kind, RefusalReason::ForeignForm)
    }
}

impl Fields {
    fn take(body: &[u8]) -> Option<Self> {
        let form = &mut Form::parse(body).ok()?;
        Some(Self {
            flow: text(form, "flow")?,
            user_code: text(form, "user_code")?,
            identifier: text(form, "identifier")?,
            email: text(form, "email")?,
            password: form.take_secret("password").ok()?,
            new_password: form.take_secret("new_password").ok()?,
            decision: text(form, "decision")?,
            session: text(form, "session")?,
            client: text(form, "client")?,
            code: text(form, "code")?,
            remembers: !text(form, "remember")?.is_empty(),
        })
    }
}

/// Empty if the field is missing. `None` if it is malformed.
fn text(form: &mut Form, name: &str) -> Option<String> {
    Some(form.take(name).ok()?.unwrap_or_default().into_owned())
}
