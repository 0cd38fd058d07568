//! The OpenAPI document and a page to read it with. Every script is in the program: the page asks no other server for anything.

use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::sync::OnceLock;

use actix_http::body::SizedStream;
use actix_web::HttpResponse;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ContentType,
    ETAG, Encoding, HeaderValue, VARY,
};
use actix_web::web::{Bytes, Header, block};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;

use crate::Surface;
use crate::openapi::document_of;
use crate::request::RawRequest;
use crate::respond::APPLICATION_JSON;

/// The documents of the four kinds of listeners, each made at its first request.
static DOCUMENTS: [OnceLock<Compressed>; 4] = [const { OnceLock::new() }; 4];
const SETTINGS_SCHEMA: &str = include_str!("../../../../config.schema.json");
static SCHEMA: OnceLock<Compressed> = OnceLock::new();
/// Compressed by `build.rs`.
static SCRIPT: Compressed =
    Compressed(Bytes::from_static(include_bytes!(concat!(env!("OUT_DIR"), "/scalar.js.gz"))));
const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
/// What of a file waits in memory for a client that reads slowly.
const CHUNK: usize = 32 * 1024;

/// A file as gzip.
struct Compressed(Bytes);

/// The page. Its scripts are files of their own, so that the policy can forbid inline ones.
const PAGE: &str = "<!doctype html><html lang=\"en\"><head><title>Latchkey API</title><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\"></head><body><div id=\"app\"></div>\
<script src=\"/docs/scalar.js\"></script><script src=\"/docs/start.js\"></script></body></html>";
const START: &str = include_str!("start.js");
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'";

/// The document of a listener with this surface. It is made beside the workers, because that takes a tenth of a second.
pub(super) fn document(
    surface: Surface,
) -> impl Fn(RawRequest, Header<AcceptEncoding>) -> LocalBoxFuture<'static, HttpResponse> + Clone {
    let document = &DOCUMENTS[usize::from(surface.public) * 2 + usize::from(surface.admin)];
    move |raw, accepted| {
        Box::pin(async move {
            match block(move || document.get_or_init(|| document_with(surface))).await {
                Ok(document) => document.answer(&raw, &accepted, (APPLICATION_JSON, "no-cache")),
                // The server is stopping.
                Err(_) => HttpResponse::ServiceUnavailable().finish(),
            }
        })
    }
}

fn document_with(surface: Surface) -> Compressed {
    Compressed::of(&document_of(surface))
}

/// The schema of config.yaml, for editors.
pub(crate) async fn settings_schema(raw: RawRequest, accepted: Header<AcceptEncoding>) -> HttpResponse {
    SCHEMA.get_or_init(|| Compressed::of(SETTINGS_SCHEMA)).answer(
        &raw,
        &accepted,
        (APPLICATION_JSON, "no-cache"),
    )
}

pub(crate) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE)
}

pub(crate) async fn script(raw: RawRequest, accepted: Header<AcceptEncoding>) -> HttpResponse {
    SCRIPT.answer(&raw, &accepted, (JAVASCRIPT, "public, max-age=3600"))
}

impl Compressed {
    fn of(text: &str) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing into memory never fails.
        let _ = encoder.write_all(text.as_bytes());
        Self(encoder.finish().unwrap_or_default().into())
    }

    /// As it is kept for clients that accept gzip; every browser does. For others it is decompressed while it is sent.
    fn answer(
        &self,
        raw: &RawRequest,
        accepted: &AcceptEncoding,
        (media_type, cache_control): (HeaderValue, &'static str),
    ) -> HttpResponse {
        let tag = self.tag();
        let is_known = raw.knows(&tag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            // Weak: one tag is of both codings.
            .insert_header((ETAG, format!("W/{tag}")))
            .insert_header((CACHE_CONTROL, cache_control))
            .insert_header((VARY, "accept-encoding"));
        if is_known {
            return response.finish();
        }
        response.insert_header((CONTENT_TYPE, media_type));
        let supported = [Encoding::gzip(), Encoding::identity()];
        if accepted.negotiate(supported.iter()) != Some(Encoding::gzip()) {
            let stream = stream::iter(decompressed(self.0.clone()));
            return response.body(SizedStream::new(self.length(), stream));
        }
        let content = self.0.clone();
        let chunks = (0..content.len()).step_by(CHUNK);
        let chunks = chunks.map(move |at| content.slice(at..content.len().min(at + CHUNK)));
        let stream = stream::iter(chunks.map(Ok::<_, Infallible>));
        response.insert_header((CONTENT_ENCODING, "gzip")).body(SizedStream::new(self.0.len() as u64, stream))
    }

    /// The checksum and the length with which gzip ends.
    fn tag(&self) -> String {
        let ending: u64 = self.0.last_chunk().map_or(0, |ending| u64::from_be_bytes(*ending));
        format!("\"{ending:016x}\"")
    }

    /// Without compression, as the last four bytes of gzip say (RFC 1952 section 2.3.1).
    fn length(&self) -> u64 {
        self.0.last_chunk().map_or(0, |length| u32::from_le_bytes(*length).into())
    }
}

fn decompressed(content: Bytes) -> impl Iterator<Item = io::Result<Bytes>> {
    let mut decoder = GzDecoder::new(io::Cursor::new(content));
    std::iter::from_fn(move || {
        let mut chunk = Vec::with_capacity(CHUNK);
        match decoder.by_ref().take(CHUNK as u64).read_to_end(&mut chunk) {
            Ok(0) => None,
            read => Some(read.map(|_| chunk.into())),
        }
    })
}

pub(super) async fn start() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, JAVASCRIPT))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(START)
}
