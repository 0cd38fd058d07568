//! Errors that a person sees: a page that says what is wrong.

use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use administration::EditError;
use pages::{Common, ErrorKind, ErrorPage, Language, Page as _};
use protocol::{AuthorizationError, ErrorResponse, RefusalReason};
use tenancy::Tenant;

use crate::failure::Failure;
use crate::page::{Opener, protect};
use crate::respond::{ErrorBody, HttpError};

/// An error page.
pub(crate) type PageError = HttpError<PageBody>;

/// What the page says.
#[derive(Debug)]
pub(crate) struct PageBody(Box<Message>);

#[derive(Debug)]
struct Message {
    kind: ErrorKind,
    tenant_name: Option<String>,
    detail: Option<String>,
    code: Option<&'static str>,
}

impl HttpError<PageBody> {
    /// An error of this kind, with the reason for the log.
    pub(crate) fn of(kind: ErrorKind, reason: RefusalReason) -> Self {
        let status = match kind {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::BadRequest | ErrorKind::NotANavigation => StatusCode::BAD_REQUEST,
            ErrorKind::TooLong => StatusCode::URI_TOO_LONG,
            ErrorKind::ForeignForm => StatusCode::FORBIDDEN,
            ErrorKind::Busy | ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::with(status, None, reason, PageBody::new(kind))
    }

    /// A request that does not fit into a form.
    pub(crate) fn too_long(tenant: &Tenant) -> Self {
        Self::of(ErrorKind::TooLong, RefusalReason::TooManyParameters).at(tenant)
    }

    /// At this tenant.
    pub(crate) fn at(mut self, tenant: &Tenant) -> Self {
        self.body.0.tenant_name = Some(tenant.name.clone());
        self
    }

    /// A refusal of an authorization request, with its code for the people who run the application.
    pub(crate) fn refused(error: AuthorizationError, tenant: &Tenant) -> Self {
        let code = error.error.as_str();
        let response = ErrorResponse::from(error);
        let mut page = Self::of(ErrorKind::BadRequest, response.reason).at(tenant);
        page.body.0.code = Some(code);
        page.detailed(&response.error_description)
    }

    /// With a sentence for the people who run the application.
    pub(crate) fn detailed(mut self, detail: &str) -> Self {
        self.body.0.detail = Some(detail.to_owned());
        self
    }
}

impl From<EditError> for PageError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Store(error) => error.into(),
            EditError::Contended => Self::unavailable(&error),
            _ => Self::fault(&error),
        }
    }
}

impl PageBody {
    fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Message { kind, tenant_name: None, detail: None, code: None }))
    }

    /// It runs no script, so it has no nonce.
    fn page(&self) -> ErrorPage {
        let common = Common {
            language: Language::English,
            tenant_name: self.0.tenant_name.clone(),
            ..Common::default()
        };
        ErrorPage { common, kind: self.0.kind, detail: self.0.detail.clone(), code: self.0.code, back: None }
    }
}

impl ErrorBody for PageBody {
    const MEDIA_TYPE: &'static str = "text/html; charset=utf-8";

    fn of(failure: Failure<'_>) -> Self {
        let kind = match failure {
            Failure::UnknownPath | Failure::UnknownTenant => ErrorKind::NotFound,
            Failure::TooManyWrites(_) => ErrorKind::Busy,
            Failure::Unavailable => ErrorKind::Unavailable,
            Failure::Internal => ErrorKind::Internal,
            Failure::MethodNotAllowed(_)
            | Failure::Misdirected
            | Failure::RepeatedAuthorization
            | Failure::CertificateHeader(_)
            | Failure::Body(_) => ErrorKind::BadRequest,
        };
        Self::new(kind)
    }

    fn help(&self) -> &'static str {
        "sign_in_page"
    }

    fn to_bytes(&self) -> Option<Vec<u8>> {
        Some(self.page().render().into_bytes())
    }

    fn protect(&self, response: &mut HttpResponseBuilder) {
        protect(response, &self.page(), Opener::Severed);
    }
}
