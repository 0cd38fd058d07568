//! The parts of a token, decoded without verification.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

/// The exact text of the header.
pub(crate) fn header(token: &str) -> String {
    part(token, 0)
}

pub(crate) fn claims(token: &str) -> Value {
    serde_json::from_str(&payload(token)).unwrap()
}

/// The exact text of the claims.
pub(crate) fn payload(token: &str) -> String {
    part(token, 1)
}

pub(crate) fn kid(token: &str) -> String {
    let header: Value = serde_json::from_str(&header(token)).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

fn part(token: &str, index: usize) -> String {
    let part = token.split('.').nth(index).unwrap_or_else(|| panic!("not a JWT: {token:?}"));
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
