//! The headers of routes that scripts of any origin may call (Fetch §3.2, "CORS"): those of clients
//! that run in a browser. `routes.rs` lists them. None of these routes reads cookies (RFC 9700
//! §2.6).

use actix_web::HttpResponse;
use actix_web::guard::{Guard, fn_guard};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN,
};

/// Without `Access-Control-Allow-Credentials`, browsers send no cookies and hide the response to a
/// request with cookies.
const ANY: HeaderValue = HeaderValue::from_static("*");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
/// Tracing libraries add their own headers. `*` allows every header except `Authorization` (Fetch
/// §4.8). Older browsers do not support `*` and read only the names.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("*, Authorization, Content-Type, DPoP");
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static("DPoP-Nonce, Retry-After, WWW-Authenticate");
/// Seconds. Chromium caches the result for at most two hours.
const KEPT: HeaderValue = HeaderValue::from_static("7200");

/// The CORS headers of a response.
#[derive(Clone, Copy)]
pub(crate) struct Sharing {
    /// Whether the request has an `Origin`, which browsers send for a script of another origin.
    names_origin: bool,
    is_read: bool,
}

impl Sharing {
    pub(crate) fn new(method: &Method, request: &HeaderMap) -> Self {
        Self { names_origin: request.contains_key(ORIGIN), is_read: method == Method::GET }
    }

    /// Allows scripts to read the response. A response that caches may store always has the header,
    /// because the cache may serve it to another origin. Other responses have it only if the
    /// request has an `Origin`.
    pub(crate) fn allow(self, response: &mut HeaderMap) {
        if self.is_read || self.names_origin {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        }
        if self.names_origin {
            response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
        }
    }
}

/// Matches a CORS preflight request. Other `OPTIONS` requests are refused like every unsupported
/// method.
pub(crate) fn is_preflight() -> impl Guard {
    fn_guard(|context| {
        let head = context.head();
        head.method == Method::OPTIONS
            && head.headers().contains_key(ORIGIN)
            && head.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    })
}

pub(crate) async fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS))
        .insert_header((ACCESS_CONTROL_MAX_AGE, KEPT))
        .finish()
}
