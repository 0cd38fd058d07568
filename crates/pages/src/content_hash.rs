//! A short name of a content, which changes with it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// 96 bits of SHA-256 as base64url: a name, and no proof.
pub(crate) fn hash(content: &[u8]) -> String {
    let digest = digest(&SHA256, content);
    BASE64_URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12])
}
