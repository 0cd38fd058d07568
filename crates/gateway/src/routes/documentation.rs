//! The OpenAPI document and a page to read it with. The page has its style and its script inside it, and asks
//! no other server for anything.

use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::sync::{LazyLock, OnceLock};

use actix_http::body::SizedStream;
use actix_web::HttpResponse;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, Encoding, HeaderValue, VARY,
};
use actix_web::web::{Bytes, Header, block};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use pages::Theme;

use crate::ListenerSurface;
use crate::openapi::{DOCUMENT, SETTINGS_SCHEMA, document_of, reference};
use crate::page::{Opener, page_headers, source};
use crate::request::RawRequest;
use crate::respond::APPLICATION_JSON;

/// A text for each of the four kinds of listeners, made at its first request.
type OfSurfaces = [OnceLock<Compressed>; 4];

static DOCUMENTS: OfSurfaces = [const { OnceLock::new() }; 4];
static PAGES: OfSurfaces = [const { OnceLock::new() }; 4];
static SCHEMA: Compressed = Compressed(Bytes::from_static(SETTINGS_SCHEMA));
static STYLE: LazyLock<String> = LazyLock::new(|| Theme::default().css() + include_str!("reference.css"));
const SCRIPT: &str = include_str!("reference.js");
/// Script and style, as the policy names them.
static SOURCES: LazyLock<[String; 2]> = LazyLock::new(|| [source(SCRIPT), source(&STYLE)]);
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// The part of a file that waits in memory for a client that reads slowly.
const CHUNK: usize = 32 * 1024;

/// A file as gzip.
struct Compressed(Bytes);

/// The document of a listener with this surface.
pub(super) fn document(
    surface: ListenerSurface,
) -> impl Fn(RawRequest, Header<AcceptEncoding>) -> LocalBoxFuture<'static, HttpResponse> + Clone {
    move |raw, accepted| {
        Box::pin(async move {
            answer_made_once(&DOCUMENTS, surface, document_with, APPLICATION_JSON, &raw, &accepted).await
        })
    }
}

/// The page of a listener with this surface.
pub(super) fn page(
    surface: ListenerSurface,
) -> impl Fn(RawRequest, Header<AcceptEncoding>) -> LocalBoxFuture<'static, HttpResponse> + Clone {
    move |raw, accepted| {
        Box::pin(async move {
            let made = |surface| Compressed::from_text(&html(surface));
            let mut response = answer_made_once(&PAGES, surface, made, HTML, &raw, &accepted).await;
            for (name, value) in page_headers(&policy(surface), Opener::Severed) {
                response.headers_mut().insert(name, value);
            }
            response
        })
    }
}

/// It is made beside the workers, because that takes hundredths of a second.
async fn answer_made_once(
    files: &'static OfSurfaces,
    surface: ListenerSurface,
    make: fn(ListenerSurface) -> Compressed,
    media_type: HeaderValue,
    raw: &RawRequest,
    accepted: &AcceptEncoding,
) -> HttpResponse {
    let file = &files[usize::from(surface.public) * 2 + usize::from(surface.admin)];
    match block(move || file.get_or_init(|| make(surface))).await {
        Ok(file) => file.answer(raw, accepted, media_type),
        // The server is stopping.
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn document_with(surface: ListenerSurface) -> Compressed {
    if surface.public && surface.admin {
        return Compressed(Bytes::from_static(DOCUMENT));
    }
    Compressed::from_text(&document_of(surface))
}

/// The page.
pub(crate) fn html(surface: ListenerSurface) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Latchkey API</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>{}</style>\n</head>\n<body>\n{}<script>{SCRIPT}</script>\n</body>\n</html>\n",
        *STYLE,
        reference(surface).markup()
    )
}

/// The policy of the page (CSP Level 3): its own style and script, and requests where its form fetches a
/// token. The form is sent by the script alone.
pub(crate) fn policy(surface: ListenerSurface) -> String {
    let [script, style] = &*SOURCES;
    let connect = if surface.public { "'self'" } else { "'none'" };
    format!(
        "default-src 'none'; script-src {script}; style-src {style}; img-src data:; connect-src {connect}; form-action 'none'; \
         frame-ancestors 'none'; base-uri 'none'; worker-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

/// The schema of config.yaml, for editors.
pub(crate) async fn settings_schema(raw: RawRequest, accepted: Header<AcceptEncoding>) -> HttpResponse {
    SCHEMA.answer(&raw, &accepted, APPLICATION_JSON)
}

impl Compressed {
    fn from_text(text: &str) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory never fails.
        let _ = encoder.write_all(text.as_bytes());
        Self(encoder.finish().unwrap_or_default().into())
    }

    /// The document as it is stored, for clients that accept gzip; every browser does. For others it is
    /// decompressed while it is sent.
    fn answer(&self, raw: &RawRequest, accepted: &AcceptEncoding, media_type: HeaderValue) -> HttpResponse {
        let tag = self.tag();
        let is_known = raw.knows(&tag);
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            // The tag is weak, because both codings share it.
            .insert_header((ETAG, format!("W/{tag}")))
            .insert_header((CACHE_CONTROL, "no-cache"))
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

    /// The checksum and the length at the end of gzip data.
    fn tag(&self) -> String {
        let ending: u64 = self.0.last_chunk().map_or(0, |ending| u64::from_be_bytes(*ending));
        format!("\"{ending:016x}\"")
    }

    /// The length without compression, which the last four bytes of gzip contain (RFC 1952 section 2.3.1).
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
