//! The second client of the bare handler authenticates with an assertion, which is verified with a
//! key that is parsed once (RFC 7523 §3). The handler does not remember assertions, so a load can
//! send the same one again. An assertion of another issuer is verified with the same key.

use std::error::Error;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::token::ISSUER;
use crate::unix_time;

pub(crate) struct AssertionKey(ParsedPublicKey);

#[derive(Deserialize)]
struct PublicKey {
    x: String,
    y: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    jti: String,
}

impl AssertionKey {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let key: PublicKey = serde_json::from_str(include_str!("../client_key.json"))?;
        let point = [&[4][..], &URL_SAFE_NO_PAD.decode(key.x)?, &URL_SAFE_NO_PAD.decode(key.y)?].concat();
        Ok(Self(ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)?))
    }

    /// Returns the client's id, or `None` for an invalid assertion.
    pub(crate) fn authenticate(&self, assertion: &str) -> Option<String> {
        let (signed, signature) = assertion.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        self.0.verify_sig(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let is_foreign = claims.iss == "https://workloads.example.com" && claims.sub == "workload:bench";
        let is_right =
            (claims.iss == claims.sub || is_foreign) && claims.aud == ISSUER && !claims.jti.is_empty();
        (is_right && claims.exp > unix_time()?).then_some(claims.sub)
    }
}
