//! A client's key for DPoP, and the proofs that it signs (RFC 9449).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use crate::prelude::*;

pub(crate) const DPOP: &str = "dpop";

pub(crate) struct Prover(Ed25519KeyPair);

impl Prover {
    pub(crate) fn new() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }

    pub(crate) fn jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64URL.encode(self.0.public_key()) })
    }

    pub(crate) fn thumbprint(&self) -> String {
        let x = BASE64URL.encode(self.0.public_key());
        BASE64URL.encode(digest(&SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()))
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": self.jwk() })
    }

    /// Changes claims of the proof. `null` removes a claim.
    pub(crate) fn proof(&self, claims: Value, changes: Value) -> String {
        self.signed(&self.header().to_string(), &but(claims, changes).to_string())
    }

    pub(crate) fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims));
        let signature = self.0.sign(message.as_bytes());
        format!("{message}.{}", BASE64URL.encode(signature))
    }
}

/// The claims of a valid proof for this method and path.
pub(crate) fn proof_claims(method: &str, path: &str, now: u64, jti: &str) -> Value {
    json!({ "jti": jti, "htm": method, "htu": format!("{PUBLIC_URL}{path}"), "iat": now })
}

/// The claim `ath` for a token.
pub(crate) fn hash_of(token: &str) -> String {
    BASE64URL.encode(digest(&SHA256, token.as_bytes()))
}

/// Adds a token with the scheme DPoP, and its proof.
pub(crate) fn with_dpop(request: RequestBuilder, token: &str, proof: &str) -> RequestBuilder {
    request.header(AUTHORIZATION, format!("DPoP {token}")).header(DPOP, proof)
}
