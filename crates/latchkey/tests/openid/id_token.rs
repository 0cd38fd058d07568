//! Checks an ID token as a client does (OpenID Connect Core §3.1.3.7), with a library that is not ours.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::authorization_request::AuthorizationRequest;
use super::provider::Client;

/// The claims that an ID token may have if the client requested no others: those of §2, and `nbf` and `jti`
/// of RFC 7519.
const EXPECTED: [&str; 13] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid", "nbf", "jti"];

#[derive(Clone, Debug)]
pub(super) struct IdToken {
    pub(super) text: String,
    pub(super) claims: Value,
}

impl IdToken {
    pub(super) fn verify(text: &str, keys: &Value, issuer: &str, client: Client) -> Self {
        let keys: JwkSet = serde_json::from_value(keys.clone()).unwrap();
        let header = decode_header(text).unwrap();
        // The default for a client that has registered no algorithm (§3.1.3.7).
        assert_eq!(header.alg, Algorithm::RS256);
        let kid = header.kid.expect("a key id");
        let key = keys.find(&kid).unwrap_or_else(|| panic!("{kid} is not published"));
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_issuer(&[issuer]);
        rules.set_audience(&[client.id()]);
        rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
        rules.validate_nbf = true;
        let token = decode::<Value>(text, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap();
        Self { text: text.to_owned(), claims: token.claims }
    }

    /// Checks the claims against the request and against the access token of the same answer.
    pub(super) fn check(&self, request: &AuthorizationRequest, access_token: &str) {
        let claims = &self.claims;
        assert_eq!(claims["nonce"].as_str(), request.get("nonce"), "{claims}");
        let hash = digest(&SHA256, access_token.as_bytes());
        assert_eq!(claims["at_hash"], BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
        let sub = claims["sub"].as_str().unwrap();
        assert!(sub.is_ascii() && (1..=255).contains(&sub.len()), "{sub}");
        let [issued, expires, signed_in] =
            ["iat", "exp", "auth_time"].map(|name| claims[name].as_u64().unwrap());
        // The library has already checked that the token is not expired.
        assert!(issued < expires && expires <= issued + 24 * 3_600, "{claims}");
        assert!(signed_in <= issued, "{claims}");
        let texts = ["acr", "sid"].map(|name| claims[name].is_string());
        assert_eq!((texts, claims["amr"].is_array()), ([true; 2], true), "{claims}");
        for name in claims.as_object().unwrap().keys() {
            assert!(EXPECTED.contains(&name.as_str()), "{name} was not requested");
        }
    }

    pub(super) fn auth_time(&self) -> u64 {
        self.claims["auth_time"].as_u64().unwrap()
    }
}
