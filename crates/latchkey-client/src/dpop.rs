//! DPoP (RFC 9449): tokens that are bound to a key of this source, and a proof for each request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::binding::Binding;
use crate::credential::CredentialError;
use crate::signing_key::{Algorithm, AssertionKey, new_jti};

/// The header of a nonce (RFC 9449 §8).
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The number of origins whose nonces are stored.
const ORIGINS: usize = 64;

/// A P-256 key that was generated for this source. It never leaves the source.
pub(crate) struct DpopKey {
    key: AssertionKey,
    jwk: Value,
    /// The newest nonce of each origin.
    nonces: Mutex<HashMap<String, HeaderValue>>,
}

impl DpopKey {
    pub(crate) fn generate() -> Result<Arc<dyn Binding>, CredentialError> {
        Ok(Arc::new(Self::new()?))
    }

    fn new() -> Result<Self, CredentialError> {
        let (key, jwk) = AssertionKey::generate_p256()?;
        Ok(Self { key, jwk, nonces: Mutex::default() })
    }

    fn nonce(&self, url: &Url) -> Option<HeaderValue> {
        let nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.get(&url.origin().ascii_serialization()).cloned()
    }
}

impl Binding for DpopKey {
    fn proof(
        &self,
        method: &str,
        url: &Url,
        token: Option<&str>,
        now: SystemTime,
    ) -> Result<HeaderValue, CredentialError> {
        // RFC 9449 §4.2: `htu` has neither query nor fragment.
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let mut claims = json!({
            "jti": new_jti()?,
            "htm": method,
            "htu": target.as_str(),
            "iat": now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        });
        if let Some(token) = token {
            claims["ath"] = json!(BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())));
        }
        if let Some(nonce) = self.nonce(url) {
            claims["nonce"] = json!(nonce.to_str().unwrap_or_default());
        }
        let header = json!({ "typ": "dpop+jwt", "jwk": self.jwk });
        let proof = self.key.sign(Algorithm::Es256, header, &claims)?;
        let mut value = HeaderValue::try_from(proof)
            .map_err(|_| CredentialError::new("the proof holds a character that no header has"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn note_nonce(&self, url: &Url, headers: &HeaderMap) -> bool {
        let Some(nonce) = headers.get(DPOP_NONCE).filter(|nonce| nonce.to_str().is_ok()) else {
            return false;
        };
        let origin = url.origin().ascii_serialization();
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() >= ORIGINS && !nonces.contains_key(&origin) {
            nonces.clear();
        }
        nonces.insert(origin, nonce.clone()).is_none_or(|before| before != *nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(proof: &HeaderValue) -> Value {
        let text = proof.to_str().unwrap().split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn a_proof_names_its_request_and_its_token() {
        let key = DpopKey::new().unwrap();
        let url: Url = "https://api.example/orders?page=2#top".parse().unwrap();
        let first = key.proof("GET", &url, Some("token"), UNIX_EPOCH).unwrap();
        let second = key.proof("GET", &url, None, UNIX_EPOCH).unwrap();
        let (first, second) = (claims(&first), claims(&second));
        let named = (&first["htm"], &first["htu"], &first["iat"]);
        assert_eq!(named, (&json!("GET"), &json!("https://api.example/orders"), &json!(0)));
        assert_eq!(first["ath"], "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A");
        assert!(second.get("ath").is_none() && first["jti"] != second["jti"]);
        assert!(first.get("nonce").is_none());
    }

    #[test]
    fn nonces_are_kept_per_origin() {
        let key = DpopKey::new().unwrap();
        let [here, there]: [Url; 2] =
            ["https://api.example/a", "https://other.example/a"].map(|url| url.parse().unwrap());
        let answer: HeaderMap = [(DPOP_NONCE, HeaderValue::from_static("n1"))].into_iter().collect();
        assert!(key.note_nonce(&here, &answer));
        assert!(!key.note_nonce(&here, &answer), "it is known");
        assert!(!key.note_nonce(&here, &HeaderMap::new()));
        let nonce = |url| claims(&key.proof("GET", url, None, UNIX_EPOCH).unwrap()).get("nonce").cloned();
        assert_eq!((nonce(&here), nonce(&there)), (Some(json!("n1")), None));
        for number in 0..2 * ORIGINS {
            key.note_nonce(&format!("https://{number}.example").parse().unwrap(), &answer);
        }
        assert!(key.nonces.lock().unwrap().len() <= ORIGINS);
    }
}
