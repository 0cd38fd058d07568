//! The OpenAPI document and a page to read it with. Every script is in the program: the page asks no other server for anything.

use std::convert::Infallible;
use std::sync::LazyLock;

use actix_http::body::{MessageBody, SizedStream};
use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ContentType, HeaderValue,
};
use actix_web::web::Bytes;
use futures_util::stream;

static DOCUMENT: LazyLock<String> = LazyLock::new(crate::openapi::document);
/// Compressed by `build.rs`. Every browser reads gzip, so there is no other form.
const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/scalar.js.gz"));
/// What of it waits in memory for a client that reads slowly.
const CHUNK: usize = 32 * 1024;

/// The page. Its scripts are files of their own, so that the policy can forbid inline ones.
const PAGE: &str = "<!doctype html><html lang=\"en\"><head><title>Latchkey API</title><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\"></head><body><div id=\"app\"></div>\
<script src=\"/docs/scalar.js\"></script><script src=\"/docs/start.js\"></script></body></html>";
/// The page opens on the first group, shows this address in its samples, and links to no other site.
const START: &str = "Scalar.createApiReference('#app', {url: '/openapi.json', withDefaultFonts: false, telemetry: false, \
agent: {disabled: true}, showDeveloperTools: 'never', defaultOpenFirstTag: true, hideClientButton: true, \
baseServerURL: window.location.origin, customCss: 'a[href*=\"scalar.com\"] { display: none }'});";
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'";

pub(crate) async fn document() -> HttpResponse {
    HttpResponse::Ok().insert_header(ContentType::json()).body(DOCUMENT.as_str())
}

pub(crate) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE)
}

pub(crate) async fn script() -> HttpResponse {
    let chunks = SCRIPT.chunks(CHUNK).map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk)));
    let mut answer = javascript(SizedStream::new(SCRIPT.len() as u64, stream::iter(chunks)));
    answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    answer
}

pub(super) async fn start() -> HttpResponse {
    javascript(START)
}

fn javascript(body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(body)
}
