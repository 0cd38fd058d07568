//! A request before anything about it has been judged. The extractor takes all and refuses nothing, because the order of the
//! checks is the handler's to tell: the tenant first, then the form, then the client.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use actix_web::rt::time::timeout;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures_util::StreamExt as _;
use protocol::{ErrorCode, ErrorResponse};
use registry::Source;

use crate::access_log::Notes;
use crate::connection::Deadlines;
use crate::respond::Refusal;

/// No form that we read is larger.
const BODY_LIMIT: usize = 64 * 1024;
/// A body must be complete within this time of its head.
const BODY_DEADLINE: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";

/// Head and body of a request, unread.
pub(crate) struct Incoming {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Incoming {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

impl Incoming {
    /// The tenant that the path names, letter by letter as it was sent: an escaped letter is another name, also in the words
    /// before it, which the router reads unescaped. `None` for the routes without a tenant.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.request.match_info().get("id")?;
        let rest = self.request.uri().path().split_once("/api/v1/tenant/").map_or("", |(_, rest)| rest);
        Some(rest.split_once('/').map_or(rest, |(name, _)| name))
    }

    /// The credentials header, if there is one.
    pub(crate) fn authorization(&self) -> Result<Option<&[u8]>, Refusal> {
        let mut headers = self.request.headers().get_all(AUTHORIZATION);
        let first = headers.next().map(HeaderValue::as_bytes);
        if headers.next().is_some() {
            let twice = "The Authorization header was sent more than once";
            return Err(ErrorResponse::invalid_request(twice).into());
        }
        Ok(first)
    }

    /// A header of which only the first value counts.
    pub(crate) fn header(&self, name: &actix_web::http::header::HeaderName) -> Option<&[u8]> {
        self.request.headers().get(name).map(HeaderValue::as_bytes)
    }

    /// Who is on the other end of the connection. Headers that claim something else are not believed.
    pub(crate) fn source(&self) -> Source {
        Source::new(self.request.peer_addr().map(|address| address.ip()))
    }

    /// What the access log should know.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Notes)) {
        if let Some(notes) = self.request.extensions_mut().get_mut::<Notes>() {
            note(notes);
        }
    }

    /// The body of a form, read whole.
    pub(crate) async fn form(&mut self) -> Result<BytesMut, Refusal> {
        if self.content_length().is_some_and(|length| length > BODY_LIMIT) {
            return Err(too_large());
        }
        let body = timeout(BODY_DEADLINE, read(&mut self.payload)).await.map_err(|_| too_slow())??;
        if let Some(deadlines) = self.request.conn_data::<Rc<Deadlines>>() {
            deadlines.body_read();
        }
        if !body.is_empty() && !self.is_form() {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ErrorResponse::invalid_request(format!("The request body must be {FORM}")),
            ));
        }
        Ok(body)
    }

    fn content_length(&self) -> Option<usize> {
        self.request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    fn is_form(&self) -> bool {
        let value = self.request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = value.unwrap_or_default().split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case(FORM)
    }
}

async fn read(payload: &mut Payload) -> Result<BytesMut, Refusal> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ErrorResponse::invalid_request("The request body is incomplete"))?;
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn too_large() -> Refusal {
    let body = ErrorResponse::invalid_request("The request body is larger than 65536 bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, body).closing()
}

fn too_slow() -> Refusal {
    let body = ErrorResponse::new(ErrorCode::InvalidRequest, "The request body took too long to come");
    Refusal::new(StatusCode::REQUEST_TIMEOUT, body).closing()
}
