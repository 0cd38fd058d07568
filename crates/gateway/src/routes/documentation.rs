//! The OpenAPI document and a page to read it with. Every script is in the program: the page asks no other server for anything.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io::{self, Read as _};
use std::sync::LazyLock;

use actix_http::body::{MessageBody, SizedStream};
use actix_web::HttpResponse;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ContentType,
    Encoding, HeaderValue, VARY,
};
use actix_web::web::{Bytes, Header};
use flate2::read::GzDecoder;
use futures_util::stream;

use crate::Surface;
use crate::openapi::document_of;

static WHOLE: LazyLock<String> = LazyLock::new(|| document_of(Surface::ALL));
static PUBLIC: LazyLock<String> = LazyLock::new(|| document_of(Surface { public: true, admin: false }));
static ADMIN: LazyLock<String> = LazyLock::new(|| document_of(Surface { public: false, admin: true }));
static NEITHER: LazyLock<String> = LazyLock::new(|| document_of(Surface { public: false, admin: false }));
/// Compressed by `build.rs`.
const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/scalar.js.gz"));
/// Without compression, as the last four bytes of gzip say (RFC 1952 section 2.3.1).
const SCRIPT_LENGTH: u64 = match SCRIPT.last_chunk() {
    Some(length) => u32::from_le_bytes(*length) as u64,
    None => 0,
};
/// What of it waits in memory for a client that reads slowly.
const CHUNK: usize = 32 * 1024;

/// The page. Its scripts are files of their own, so that the policy can forbid inline ones.
const PAGE: &str = "<!doctype html><html lang=\"en\"><head><title>Latchkey API</title><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\"></head><body><div id=\"app\"></div>\
<script src=\"/docs/scalar.js\"></script><script src=\"/docs/start.js\"></script></body></html>";
const START: &str = include_str!("start.js");
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'";

/// The document of a listener with this surface.
pub(super) fn document(surface: Surface) -> impl Fn() -> Ready<HttpResponse> + Clone {
    let document = match (surface.public, surface.admin) {
        (true, true) => &WHOLE,
        (true, false) => &PUBLIC,
        (false, true) => &ADMIN,
        (false, false) => &NEITHER,
    };
    move || ready(HttpResponse::Ok().insert_header(ContentType::json()).body(document.as_str()))
}

pub(crate) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE)
}

/// As it is kept for clients that accept gzip; every browser does. For others it is decompressed while it is sent.
pub(crate) async fn script(accepted: Header<AcceptEncoding>) -> HttpResponse {
    let supported = [Encoding::gzip(), Encoding::identity()];
    let is_compressed = accepted.negotiate(supported.iter()) == Some(Encoding::gzip());
    let mut answer = if is_compressed {
        let chunks = SCRIPT.chunks(CHUNK).map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk)));
        javascript(SizedStream::new(SCRIPT.len() as u64, stream::iter(chunks)))
    } else {
        javascript(SizedStream::new(SCRIPT_LENGTH, stream::iter(decompressed())))
    };
    if is_compressed {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    answer
}

fn decompressed() -> impl Iterator<Item = io::Result<Bytes>> {
    let mut decoder = GzDecoder::new(SCRIPT);
    std::iter::from_fn(move || {
        let mut chunk = Vec::with_capacity(CHUNK);
        match decoder.by_ref().take(CHUNK as u64).read_to_end(&mut chunk) {
            Ok(0) => None,
            read => Some(read.map(|_| chunk.into())),
        }
    })
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
