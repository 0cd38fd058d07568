//! Signs the proofs of a load. The server accepts each proof once, so each request needs another
//! one. Prints one proof per line, signed with ES256 and the key in `client_key.json`:
//! - `proofs assertion COUNT`: assertions of the client `bench-key`, which expire after a minute
//!   (RFC 7523 §3).
//! - `proofs workload COUNT`: assertions of another issuer for the client `bench-workload` (RFC
//!   7523 §2.2).
//! - `proofs dpop COUNT METHOD URL [TOKEN]`: DPoP proofs of a request with this access token (RFC
//!   9449 §4.2).
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let key: PrivateKey = serde_json::from_str(include_str!("client_key.json"))?;
    let (header, claims, count) = match arguments[..] {
        ["assertion", count] => {
            let claims = json!({ "iss": CLIENT, "sub": CLIENT, "aud": AUDIENCE });
            (json!({ "alg": "ES256", "typ": "JWT", "kid": "bench" }), claims, count)
        }
        ["workload", count] => {
            let (issuer, subject) = ("https://workloads.example.com", "workload:bench");
            let claims = json!({ "iss": issuer, "sub": subject, "aud": AUDIENCE });
            (json!({ "alg": "ES256", "typ": "JWT", "kid": "bench" }), claims, count)
        }
        ["dpop", count, method, url, ref token @ ..] => {
            let jwk = json!({ "kty": "EC", "crv": "P-256", "x": key.x, "y": key.y });
            let mut claims = json!({ "htm": method, "htu": url });
            if let Some(token) = token.first() {
                claims["ath"] = URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())).into();
            }
            (json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": jwk }), claims, count)
        }
        _ => return Err(
            "usage: proofs assertion COUNT | proofs workload COUNT | proofs dpop COUNT METHOD URL [TOKEN]"
                .into(),
        ),
    };
    print_signed(&key, &header, claims, count.parse()?)
}

fn print_signed(
    key: &PrivateKey,
    header: &Value,
    mut claims: Value,
    count: u32,
) -> Result<(), Box<dyn Error>> {
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part);
    let public = [&[4][..], &decoded(&key.x)?, &decoded(&key.y)?].concat();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &decoded(&key.d)?, &public)?;
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let random = SystemRandom::new();
    for _ in 0..count {
        let (now, mut jti) = (unix_time()?, [0; 16]);
        aws_lc_rs::rand::fill(&mut jti)?;
        claims["jti"] = URL_SAFE_NO_PAD.encode(jti).into();
        claims["iat"] = now.into();
        claims["exp"] = (now + LIFETIME).into();
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = key.sign(&random, signed.as_bytes())?;
        println!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without the platform's clock")]
fn unix_time() -> Result<u64, Box<dyn Error>> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}
