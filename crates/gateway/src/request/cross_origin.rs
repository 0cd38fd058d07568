//! The answers of routes that a script of any origin may call (Fetch §3.2, "CORS"): those of clients that
//! run in a browser. `routes.rs` names them. None of them reads a cookie, and no route that reads one is
//! among them (RFC 9700 §2.6).

use actix_web::HttpResponse;
use actix_web::guard::{Guard, fn_guard};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN,
};

/// Without `Access-Control-Allow-Credentials`: browsers send no cookies, and hide the
/// answer to a request with some.
const ANY: HeaderValue = HeaderValue::from_static("*");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
/// Tracing libraries add headers of their own. `*` allows every name but `Authorization` (Fetch §4.8), and
/// older browsers read the names alone.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("*, Authorization, Content-Type, DPoP");
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static("DPoP-Nonce, Retry-After, WWW-Authenticate");
/// Two hours, the longest time that Chromium caches it.
const KEPT: HeaderValue = HeaderValue::from_static("7200");

/// The headers of a shared route's response.
#[derive(Clone, Copy)]
pub(crate) struct Sharing {
    /// Whether the request names its origin, as a script of another origin does.
    names_origin: bool,
    is_read: bool,
}

impl Sharing {
    pub(crate) fn new(method: &Method, request: &HeaderMap) -> Self {
        Self { names_origin: request.contains_key(ORIGIN), is_read: method == Method::GET }
    }

    /// Lets scripts read the response. A document is cached, and a cache does not know the next caller, so
    /// the document always has the header. A response that no cache stores has it only for a request with an
    /// origin.
    pub(crate) fn allow(self, response: &mut HeaderMap) {
        if self.is_read || self.names_origin {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        }
        if self.names_origin {
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
        }
    }
}

/// Matches the request that a browser sends before a request that a form could not send. Any other `OPTIONS`
/// is refused like every unsupported method.
pub(crate) fn is_preflight() -> impl Guard {
    fn_guard(|context| {
        let head = context.head();
        head.method == Method::OPTIONS
            && head.headers().contains_key(ORIGIN)
            && head.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    })
}

/// The answer to it.
pub(crate) async fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
        .insert_header((ACCESS_CONTROL_MAX_AGE, KEPT))
        .finish()
}
