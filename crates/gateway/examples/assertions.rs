//! Signs the assertions of a load: each is accepted once, so each request needs one of its own (RFC 7523 §3).
//! `assertions COUNT` prints them, a line each, signed with ES256 and the key in `client_key.json`. They end after a minute.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

const CLIENT: &str = "bench-key";
const AUDIENCE: &str = "http://127.0.0.1:3000/api/v1/tenant/bench";
const LIFETIME: u64 = 60;

#[derive(Deserialize)]
struct PrivateKey {
    x: String,
    y: String,
    d: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).ok_or("usage: assertions COUNT")?.parse()?;
    let key: PrivateKey = serde_json::from_str(include_str!("client_key.json"))?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part);
    let public = [&[4][..], &decoded(&key.x)?, &decoded(&key.y)?].concat();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &decoded(&key.d)?, &public)?;
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"JWT","kid":"bench"}"#);
    let random = SystemRandom::new();
    for _ in 0..count {
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims()?));
        let signature = key.sign(&random, signed.as_bytes())?;
        println!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without the platform's clock")]
fn claims() -> Result<String, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut jti = [0; 16];
    aws_lc_rs::rand::fill(&mut jti)?;
    let (jti, exp) = (URL_SAFE_NO_PAD.encode(jti), now + LIFETIME);
    Ok(serde_json::json!({
        "iss": CLIENT, "sub": CLIENT, "aud": AUDIENCE, "jti": jti, "iat": now, "exp": exp,
    })
    .to_string())
}
