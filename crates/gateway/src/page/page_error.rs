//! Error pages in the theme of the tenant.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder, Responder, ResponseError as _,
};
use administration::edit::EditError;
use futures_util::future::{FutureExt as _, Map};
use pages::{Common, ErrorKind, ErrorPage, HtmlPage as _, Link, Texts};
use protocol::{AuthorizationError, AuthorizationErrorCode, ErrorResponse, RefusalReason};

use crate::Services;
use crate::options::BaseUrl;
use crate::page::{Opener, common, common_of, protect};
use crate::request::{RawRequest, ServerFailure, VisitedTenant, request_id};
use crate::respond::{ErrorBody, HttpError};
use crate::routes::console::paths::way_from;

pub(crate) type PageError = HttpError<PageBody>;

pub(crate) type PageResult<T = HttpResponse> = Result<T, PageError>;

/// A request for a page, with the services for answering it.
pub(crate) struct PageRequest {
    pub(crate) services: Data<Services>,
    pub(crate) public_url: Data<BaseUrl>,
    pub(crate) raw: RawRequest,
}

/// The response of a page handler. The theme of an error page depends on the request, so it is
/// added last.
pub(crate) struct PageAnswer(PageResult);

type Answering<Answer> = Map<Answer, fn(PageResult) -> PageAnswer>;

/// Turns a page handler into a handler for a route.
pub(crate) fn with_pages<Answer: Future<Output = PageResult>>(
    handler: impl Fn(PageRequest) -> Answer + Clone + 'static,
) -> impl Fn(Data<Services>, Data<BaseUrl>, RawRequest) -> Answering<Answer> + Clone {
    move |services, public_url, raw| {
        let request = PageRequest { services, public_url, raw };
        handler(request).map(PageAnswer as fn(PageResult) -> PageAnswer)
    }
}

impl PageRequest {
    pub(crate) fn texts(&self) -> &'static Texts {
        self.public_url.1.texts()
    }
}

impl Responder for PageAnswer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        self.0.unwrap_or_else(|error| error.in_the_look_of(request).error_response())
    }
}

impl From<ServerFailure<'_>> for PageAnswer {
    fn from(failure: ServerFailure<'_>) -> Self {
        Self(Err(failure.into()))
    }
}

#[derive(Debug)]
pub(crate) struct PageBody(Box<PageMessage>);

#[derive(Debug)]
struct PageMessage {
    kind: ErrorKind,
    detail: Option<String>,
    code: Option<&'static str>,
    common: Common,
    back: Option<Link>,
}

impl HttpError<PageBody> {
    /// `reason` is for the log.
    pub(crate) fn from_kind(kind: ErrorKind, reason: RefusalReason) -> Self {
        let status = match kind {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::BadRequest | ErrorKind::BadSignOut | ErrorKind::NotANavigation | ErrorKind::Ended => {
                StatusCode::BAD_REQUEST
            }
            ErrorKind::TooLong => StatusCode::URI_TOO_LONG,
            ErrorKind::ForeignForm | ErrorKind::Expired | ErrorKind::NoCookies => StatusCode::FORBIDDEN,
            ErrorKind::Busy | ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::with(status, None, reason, PageBody::new(kind))
    }

    /// The authorization request is too long for a form field.
    pub(crate) fn too_long() -> Self {
        let detail = "The request is too long. Send it as a pushed authorization request (RFC 9126).";
        Self::from_kind(ErrorKind::TooLong, RefusalReason::TooManyParameters).detailed(detail)
    }

    /// Shows the error code for the developers of the client.
    pub(crate) fn refused(error: AuthorizationError) -> Self {
        let error_code = error.error;
        let response = ErrorResponse::from(error);
        let kind = match error_code {
            AuthorizationErrorCode::InvalidRequestUri => ErrorKind::Ended,
            _ => ErrorKind::BadRequest,
        };
        let mut page = Self::from_kind(kind, response.reason);
        page.body.0.code = Some(error_code.as_str());
        page.detailed(&response.error_description)
    }

    /// Changes the text to that of a sign-out request.
    pub(crate) fn of_sign_out(mut self) -> Self {
        let PageMessage { kind, detail, .. } = &mut *self.body.0;
        if *kind == ErrorKind::TooLong {
            *detail = Some("The request is too long.".to_owned());
        }
        if matches!(kind, ErrorKind::BadRequest | ErrorKind::TooLong) {
            *kind = ErrorKind::BadSignOut;
        }
        self
    }

    /// Adds a sentence for the developers of the client.
    pub(crate) fn detailed(mut self, detail: &str) -> Self {
        self.body.0.detail = Some(detail.to_owned());
        self
    }

    /// Adds the path under which a proxy serves this server, and the theme of the tenant if it is
    /// already known.
    fn in_the_look_of(mut self, request: &HttpRequest) -> Self {
        let Some(public_url) = request.app_data::<Data<BaseUrl>>() else { return self };
        let visited = request.extensions();
        let of_pages = match visited.get::<VisitedTenant>() {
            Some(VisitedTenant(tenant)) => common_of(tenant, None, public_url),
            None => common(public_url),
        };
        // An error page runs no script, so it needs no nonce.
        self.body.0.common = Common { nonce: String::new(), ..of_pages };
        let name = self.body.0.common.texts().console.frame.this_console;
        let way = way_from(request.path());
        let link = |path| Link { name: name.to_owned(), url: public_url.path().to_owned() + path };
        self.body.0.back = way.map(link);
        self
    }
}

impl From<EditError> for PageError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Store(error) if error.may_be_done() => Self::unavailable(&error)
                .detailed("The server may have saved the change. Check before you try again."),
            EditError::Store(error) => error.into(),
            EditError::Contended => Self::unavailable(&error),
            _ => Self::fault(&error),
        }
    }
}

impl PageBody {
    fn new(kind: ErrorKind) -> Self {
        Self(Box::new(PageMessage { kind, detail: None, code: None, common: Common::default(), back: None }))
    }

    fn page(&self) -> ErrorPage {
        let PageMessage { kind, detail, code, common, back } = &*self.0;
        let (common, detail, back) = (common.clone(), detail.clone(), back.clone());
        ErrorPage { common, kind: *kind, detail, code: *code, request_id: request_id(), back }
    }
}

impl ErrorBody for PageBody {
    const MEDIA_TYPE: &'static str = "text/html; charset=utf-8";

    fn from_failure(failure: ServerFailure<'_>) -> Self {
        let kind = match failure {
            ServerFailure::UnknownPath | ServerFailure::UnknownTenant => ErrorKind::NotFound,
            ServerFailure::TooManyWrites(_) => ErrorKind::Busy,
            ServerFailure::Unavailable => ErrorKind::Unavailable,
            ServerFailure::Internal => ErrorKind::Internal,
            _ => ErrorKind::BadRequest,
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
