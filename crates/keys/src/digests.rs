//! SHA-256 digests, and the half digests in ID tokens.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::SigningAlgorithm;

/// The SHA-256 digest, for example of a code verifier (RFC 7636 §4.6).
#[must_use]
pub fn sha256(content: impl AsRef<[u8]>) -> [u8; 32] {
    let mut found = [0; 32];
    found.copy_from_slice(digest(&SHA256, content.as_ref()).as_ref());
    found
}

/// `at_hash`: "the base64url encoding of the left-most half of the hash" of the access token. The algorithm
/// that signs the ID token determines the hash (OpenID Connect Core §3.1.3.6). For Ed25519 the hash is
/// SHA-512.
#[must_use]
pub fn left_half_hash(algorithm: SigningAlgorithm, text: &str) -> String {
    let hash = match algorithm {
        SigningAlgorithm::RS256 | SigningAlgorithm::PS256 | SigningAlgorithm::ES256 => &SHA256,
        SigningAlgorithm::RS384 | SigningAlgorithm::ES384 => &SHA384,
        SigningAlgorithm::RS512 | SigningAlgorithm::EdDSA => &SHA512,
    };
    let found = digest(hash, text.as_bytes());
    BASE64URL.encode(&found.as_ref()[..found.as_ref().len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    // [core Core §3.1.3.6]: `at_hash` is the left half of the hash of the access token
    #[test]
    fn digests_match_examples_of_the_standards() {
        // OpenID Connect Core §A.3.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(left_half_hash(SigningAlgorithm::RS256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(left_half_hash(SigningAlgorithm::ES384, token).len(), 32);
        assert_eq!(left_half_hash(SigningAlgorithm::EdDSA, token).len(), 43);
        // RFC 7636 appendix B.
        let challenge = BASE64URL.encode(sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
