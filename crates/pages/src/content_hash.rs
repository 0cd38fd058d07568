//! A short hash of content, for URLs that change with the content.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// 96 bits of SHA-256 in base64url. Too short to prove integrity.
pub(crate) fn hash(content: &[u8]) -> String {
    let digest = digest(&SHA256, content);
    BASE64_URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12])
}
