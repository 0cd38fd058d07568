//! The first client of the bare handler authenticates with a secret, which is compared as a digest.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) struct Secret(Digest);

impl Secret {
    pub(crate) fn new() -> Self {
        Self(digest(&SHA256, b"bench-client-secret"))
    }

    /// Returns the client's id, or `None` for a wrong secret.
    pub(crate) fn authenticate(&self, request: &HttpRequest) -> Option<String> {
        let credentials = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
        let credentials = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
        let (client, secret) = credentials.split_once(':')?;
        let presented = digest(&SHA256, secret.as_bytes());
        verify_slices_are_equal(presented.as_ref(), self.0.as_ref()).ok()?;
        Some(client.to_owned())
    }
}
