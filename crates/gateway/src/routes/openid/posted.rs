//! A form that a window has sent: one of our own pages with its sealed content, or one of a client that sends
//! its request by a form.

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

/// The body, and where it was sent.
pub(super) struct Posted<'r> {
    /// The visit of the sender, as if the window had navigated here.
    pub(super) visit: Visit<'r>,
    body: WipedBody,
}

/// A form with a valid seal of this server.
pub(super) struct OpenedForm<'r> {
    pub(super) visit: Visit<'r>,
    pub(super) fields: Fields,
    pub(super) flow: Flow,
    /// Why it does nothing, and what it is for begins again.
    pub(super) stale: Option<Stale>,
}

/// The reasons for which a sealed form does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stale {
    /// Its page was open for too long.
    Expired,
    /// The browser has not sent the cookie that binds it.
    NoCookies,
}

/// The fields that a person has filled in.
pub(super) struct Fields {
    flow: String,
    pub(super) user_code: String,
    pub(super) identifier: String,
    pub(super) password: Option<Secret>,
    pub(super) new_password: Option<Secret>,
    pub(super) decision: String,
    /// The session to end.
    pub(super) session: String,
    /// The client that loses its access.
    pub(super) client: String,
    /// The code of a link.
    pub(super) code: String,
    /// Whether the person wants to stay signed in.
    pub(super) remembers: bool,
}

impl<'r> Posted<'r> {
    /// Judges where the request comes from, and reads the form.
    pub(super) async fn read(request: &'r mut PageRequest) -> PageResult<Self> {
        let tenant = navigated_tenant(request).await?;
        Self::at(request, tenant).await
    }

    /// Reads the form at a known tenant.
    pub(super) async fn at(request: &'r mut PageRequest, tenant: Arc<Tenant>) -> PageResult<Self> {
        let body = request.raw.form().await?;
        Ok(Self { visit: Visit::at(request, tenant), body })
    }

    /// Whether it has the hidden field of our own forms.
    pub(super) fn has_flow(&self) -> bool {
        // A form that has the field twice is our own, and is refused as malformed.
        Form::parse(&self.body).is_ok_and(|mut form| !matches!(form.take("flow"), Ok(None)))
    }

    /// The content that was sealed for this browser and tenant, and the fields that the person has filled in.
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
            // The page asks for cookies once, so that the person need not type again and again.
            Err(FlowError::NoCookies(flow)) if flow.asks_for_cookies => return Err(Stale::NoCookies.into()),
            Err(FlowError::NoCookies(flow)) => (*flow, Some(Stale::NoCookies)),
            Err(FlowError::Foreign) => return Err(Visit::foreign()),
        };
        visit.asks_for_cookies = stale == Some(Stale::NoCookies);
        Ok(OpenedForm { visit, fields, flow, stale })
    }

    /// The form as a query.
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

    /// Redirects to the same page by a navigation, which brings the cookies that a form from another site
    /// does not.
    pub(super) fn again(&self, endpoint: &str) -> PageResult {
        let parameters = self.parameters()?;
        let path = self.visit.public_url.path_of(&self.visit.tenant.id, endpoint);
        let location = format!("{path}?{parameters}");
        Ok(no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, location)).finish())
    }
}

impl<'r> OpenedForm<'r> {
    /// Reads a form that cannot begin again by itself.
    pub(super) fn current(self) -> PageResult<(Visit<'r>, Fields, Flow)> {
        let Self { visit, fields, flow, stale } = self;
        stale.map_or(Ok((visit, fields, flow)), |stale| Err(stale.into()))
    }
}

impl Stale {
    /// The person who continues in this browser. Without the cookie of its page, a form may be of another
    /// browser, so it leads to a page for strangers.
    pub(super) async fn person(self, visit: &Visit<'_>) -> Stored<Option<SignedIn>> {
        match self {
            Self::Expired => visit.signed_in().await,
            Self::NoCookies => Ok(None),
        }
    }

    /// The message of the page that begins again.
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
        let mut form = Form::parse(body).ok()?;
        let mut text = |name| Some(form.take(name).ok()?.unwrap_or_default().into_owned());
        let (flow, identifier, decision) = (text("flow")?, text("identifier")?, text("decision")?);
        let (session, client, code) = (text("session")?, text("client")?, text("code")?);
        let (user_code, remembers) = (text("user_code")?, !text("remember")?.is_empty());
        let mut secret = |name| form.take_secret(name).ok();
        let (password, new_password) = (secret("password")?, secret("new_password")?);
        Some(Self {
            flow,
            user_code,
            identifier,
            password,
            new_password,
            decision,
            session,
            client,
            code,
            remembers,
        })
    }
}
