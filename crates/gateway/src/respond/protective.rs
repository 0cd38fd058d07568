//! Security headers of every response.

use actix_web::http::header::{
    HeaderMap, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

#[derive(Clone, Copy, Debug)]
pub(crate) struct Protective {
    /// Whether to send `Strict-Transport-Security` for a year (RFC 6797).
    pub(crate) strict_transport: bool,
}

impl Protective {
    /// Forbids browsers to guess media types and to send this server's paths to other sites.
    pub(crate) fn protect(self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        headers.insert(REFERRER_POLICY, NO_REFERRER);
        if self.strict_transport {
            headers.insert(STRICT_TRANSPORT_SECURITY, A_YEAR);
        }
    }
}
