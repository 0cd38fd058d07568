//! A token of each algorithm, with its key for the bare verification and its key set for the verifier.

use std::hint::black_box;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

use crate::Result;

pub(crate) const ISSUER: &str = "https://id.example.com/api/v1/tenant/acme";
pub(crate) const AUDIENCE: &str = "orders-api";
pub(crate) const KID: &str = "oauth2-key-1";

pub(crate) const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// A token, in parts and whole.
pub(crate) struct Signed {
    pub(crate) token: String,
    /// The token with another signature.
    pub(crate) forged: String,
    /// A JWKS document.
    pub(crate) key_set: Value,
    message: String,
    signature: Vec<u8>,
    public: ParsedPublicKey,
}

/// The signing function, its public key for the library, and the members of its JWK.
type Signer = (Box<dyn Fn(&[u8]) -> Vec<u8>>, ParsedPublicKey, Value);

impl Signed {
    pub(crate) fn new(algorithm: &str) -> Result<Self> {
        let (sign, public, mut jwk) = match algorithm {
            "RS256" => rs256()?,
            "ES256" => es256()?,
            _ => eddsa()?,
        };
        jwk["kid"] = json!(KID);
        jwk["alg"] = json!(algorithm);
        jwk["use"] = json!("sig");
        let now = std::time::UNIX_EPOCH.elapsed()?.as_secs();
        let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": KID });
        let claims = json!({
            "iss": ISSUER, "sub": "shipping", "aud": [AUDIENCE], "exp": now + 3_600, "iat": now, "nbf": now,
            "jti": "0123abcd-4f5e-8a6b-9c7d-0e1f2a3b4c5d", "scope": "orders:read orders:write", "client_id": "shipping",
        });
        let message =
            format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
        let signature = sign(message.as_bytes());
        let token = format!("{message}.{}", BASE64URL.encode(&signature));
        let forged = format!("{message}.{}", BASE64URL.encode(sign(b"another message")));
        let key_set = json!({ "keys": [jwk] });
        Ok(Self { token, forged, key_set, message, signature, public })
    }

    /// The bare verification, with a parsed key.
    pub(crate) fn verify_signature(&self) -> Result<()> {
        Ok(self.public.verify_sig(black_box(self.message.as_bytes()), &self.signature)?)
    }
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
