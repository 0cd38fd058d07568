//! Verifies DPoP proofs: the signature with the key in the proof, and the claims (RFC 9449 §4.3).
//! The handler does not remember proofs, so a load can send the same one again.

use actix_web::HttpRequest;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::unix_time;

const WINDOW: u64 = 60;

#[derive(Deserialize)]
struct Header {
    jwk: Jwk,
}

#[derive(Deserialize)]
struct Jwk {
    crv: String,
    kty: String,
    x: String,
    y: String,
}

#[derive(Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    iat: u64,
    jti: String,
    ath: Option<String>,
}

/// Returns the thumbprint of the proof's key. `None` if the proof is not for this request and
/// access token.
pub(crate) fn verify(request: &HttpRequest, url: &str, token: Option<&str>) -> Option<String> {
    let proof = request.headers().get("dpop")?.to_str().ok()?;
    let (signed, signature) = proof.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let Header { jwk: Jwk { crv, kty, x, y } } =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let point = [&[4][..], &URL_SAFE_NO_PAD.decode(&x).ok()?, &URL_SAFE_NO_PAD.decode(&y).ok()?].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let of_token = token.map(|token| URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
    let is_right = claims.htm == request.method().as_str()
        && claims.htu == url
        && claims.ath == of_token
        && claims.iat.abs_diff(unix_time()?) <= WINDOW
        && !claims.jti.is_empty();
    // RFC 7638 §3: the required members in lexicographic order.
    let canonical = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#);
    is_right.then(|| URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes())))
}
