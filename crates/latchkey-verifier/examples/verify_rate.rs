//! How much of the bare verification of signatures is left to whole tokens: `verify_rate [SECONDS]` prints lines of a name, a tab and a figure: for each
//! algorithm the rate of aws-lc-rs with a parsed key, and of it the parts of this crate and of jsonwebtoken, on one core. The three take turns of some milliseconds, so that they meet the same machine.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use latchkey_verifier::{Caller, KeySet, Trusted, Verifier};
use serde::Deserialize;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.com/api/v1/tenant/acme";
const AUDIENCE: &str = "orders-api";
/// Verifications in a turn.
const TURN: u32 = 50;
/// Turns before the measurement.
const WARM_UP: u32 = 20;

/// The claims that an API usually reads.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    jti: String,
    scope: String,
    exp: u64,
    iat: u64,
}

/// What signs, its public key for the library, and the members of its JWK.
type Signer = (Box<dyn Fn(&[u8]) -> Vec<u8>>, ParsedPublicKey, Value);
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(3), |seconds| seconds.parse())?;
    for (algorithm, signer) in [("RS256", rs256()?), ("ES256", es256()?), ("EdDSA", eddsa()?)] {
        let [raw, ours, peer] = measure(algorithm, signer, Duration::from_secs(seconds))?;
        println!("aws-lc-rs: {algorithm} signatures a second\t{raw:.0}");
        println!("latchkey-verifier: {algorithm} tokens, of these signatures\t{:.3}", ours / raw);
        println!("jsonwebtoken: {algorithm} tokens, of these signatures\t{:.3}", peer / raw);
    }
    Ok(())
}

/// The rates of the library alone, of this crate and of jsonwebtoken.
fn measure(algorithm: &str, (sign, public, jwk): Signer, span: Duration) -> Result<[f64; 3]> {
    let mut jwk = jwk;
    jwk["kid"] = json!("oauth2-key-1");
    jwk["alg"] = json!(algorithm);
    let now = std::time::UNIX_EPOCH.elapsed()?.as_secs();
    let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": "oauth2-key-1" });
    let claims = json!({
        "iss": ISSUER, "sub": "shipping", "aud": [AUDIENCE], "exp": now + 3_600, "iat": now, "nbf": now,
        "jti": "0123abcd-4f5e-8a6b-9c7d-0e1f2a3b4c5d", "scope": "orders:read orders:write", "client_id": "shipping",
    });
    let signed = format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
    let signature = sign(signed.as_bytes());
    let token = format!("{signed}.{}", BASE64URL.encode(&signature));

    let keys = KeySet::read(&json!({ "keys": [jwk.clone()] }).to_string())?;
    let verifier =
        Verifier::builder().issuer(Trusted::issuer(ISSUER).key_set(keys)).audience(AUDIENCE).build()?;
    let jwk: Jwk = serde_json::from_value(jwk)?;
    let key = DecodingKey::from_jwk(&jwk)?;
    let mut validation = Validation::new(algorithm.parse()?);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);

    let mut times = [Duration::ZERO; 3];
    let mut turns = 0;
    let begun = Instant::now();
    while begun.elapsed() < span || turns < WARM_UP {
        let of_turn = [
            turn(|| Ok(public.verify_sig(black_box(signed.as_bytes()), &signature)?))?,
            turn(|| {
                let caller: Caller<Claims> = verifier.verify_now(black_box(&token))?;
                black_box(caller);
                Ok(())
            })?,
            turn(|| {
                let header = decode_header(black_box(&token))?;
                let decoded = decode::<Claims>(black_box(&token), &key, &validation)?;
                black_box((header, decoded));
                Ok(())
            })?,
        ];
        turns += 1;
        if turns > WARM_UP {
            times.iter_mut().zip(of_turn).for_each(|(sum, time)| *sum += time);
        }
    }
    let count = f64::from(turns.saturating_sub(WARM_UP) * TURN);
    Ok(times.map(|time| count / time.as_secs_f64()))
}

fn turn(mut verify: impl FnMut() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    for _ in 0..TURN {
        verify()?;
    }
    Ok(begun.elapsed())
}

fn rs256() -> Result<Signer> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key())?;
    let number = |bytes: &[u8]| BASE64URL.encode(bytes);
    let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
    let jwk = json!({
        "kty": "RSA", "n": number(n.big_endian_without_leading_zero()),
        "e": number(e.big_endian_without_leading_zero()),
    });
    let sign = move |message: &[u8]| {
        let mut signature = vec![0; key.public_modulus_len()];
        let signed = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).unwrap_or_default()
    };
    Ok((Box::new(sign), public, jwk))
}

fn es256() -> Result<Signer> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let point = key.public_key().as_ref();
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)?;
    let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    let sign = move |message: &[u8]| {
        let signed = key.sign(&SystemRandom::new(), message);
        signed.map(|signature| signature.as_ref().to_vec()).unwrap_or_default()
    };
    Ok((Box::new(sign), public, jwk))
}

fn eddsa() -> Result<Signer> {
    let key = Ed25519KeyPair::generate()?;
    let public = ParsedPublicKey::new(&ED25519, key.public_key())?;
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64URL.encode(key.public_key()) });
    let sign = move |message: &[u8]| {
        key.try_sign(message).map(|signature| signature.as_ref().to_vec()).unwrap_or_default()
    };
    Ok((Box::new(sign), public, jwk))
}
