//! Proofs of a client's key (RFC 9449).

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use uuid::Uuid;

use server::clock;

pub(super) struct Prover(Ed25519KeyPair);

impl Prover {
    pub(super) fn generate() -> anyhow::Result<Self> {
        Ok(Self(Ed25519KeyPair::generate()?))
    }

    /// A proof for a request with this method and URL, and for a token if there is one.
    pub(super) fn proof(&self, method: &str, url: &str, token: Option<&str>) -> String {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64URL.encode(self.0.public_key()) });
        let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk });
        let mut claims = json!({
            "jti": Uuid::new_v4().to_string(),
            "htm": method,
            "htu": url,
            "iat": clock::now().seconds(),
        });
        if let Some(token) = token {
            claims["ath"] = Value::from(BASE64URL.encode(keys::sha256(token)));
        }
        let [header, claims] = [header, claims].map(|part| BASE64URL.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        format!("{message}.{}", BASE64URL.encode(self.0.sign(message.as_bytes())))
    }
}
