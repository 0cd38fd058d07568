//! Headers of every answer that tell browsers what not to do with it.

use actix_web::http::header::{
    HeaderMap, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

/// What a listener adds to its answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protective {
    /// Whether browsers are told to come by https only, for a year.
    pub(crate) strict_transport: bool,
}

impl Protective {
    /// No guessing of types, no path of ours told to other sites, no more http where https is spoken (RFC 6797).
    pub(crate) fn protect(self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if self.strict_transport {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
    }
}
