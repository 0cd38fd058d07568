//! Headers of every response that restrict what browsers do with it.

use actix_web::http::header::{
    HeaderMap, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The headers that a listener adds to its responses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protective {
    /// Whether browsers must use HTTPS only, for a year (RFC 6797).
    pub(crate) strict_transport: bool,
}

impl Protective {
    /// Forbids to guess media types and to send our paths to other sites. If the listener has HTTPS, it
    /// forbids HTTP, too.
    pub(crate) fn protect(self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        headers.insert(REFERRER_POLICY, NO_REFERRER);
        if self.strict_transport {
            headers.insert(STRICT_TRANSPORT_SECURITY, A_YEAR);
        }
    }
}
