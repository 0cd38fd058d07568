//! A client's key for DPoP proofs (RFC 9449), and the proofs that it signs.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::json;

pub(crate) struct Prover(Ed25519KeyPair);

impl Prover {
    pub(crate) fn new() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }

    /// A current proof for a POST to this URL.
    #[expect(clippy::disallowed_methods, reason = "a client reads its own clock")]
    pub(crate) fn proof(&self, url: &str, jti: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64URL.encode(self.0.public_key()) });
        let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk });
        let claims = json!({ "jti": jti, "htm": "POST", "htu": url, "iat": now });
        let [header, claims] = [header, claims].map(|part| BASE64URL.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = self.0.sign(message.as_bytes());
        format!("{message}.{}", BASE64URL.encode(signature))
    }
}
