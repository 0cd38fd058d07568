//! A public key that verifies with its own algorithm, whatever the token says (RFC 8725 §3.1).

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use protocol::SigningAlgorithm;

use crate::{KeyId, PublicJwk, PublicParameters};

/// A public key, ready to verify.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    id: KeyId,
    algorithm: SigningAlgorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The only algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Whether the base64url signature over the message is valid.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        crypto::verify(signature, message, &self.key, algorithm_of(self.algorithm)).unwrap_or(false)
    }

    pub(crate) fn from_jwk(jwk: &PublicJwk) -> Option<Self> {
        let key = match jwk.parameters() {
            PublicParameters::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
            PublicParameters::Ec { x, y, .. } => DecodingKey::from_ec_components(x, y),
            PublicParameters::Okp { x, .. } => DecodingKey::from_ed_components(x),
        };
        Some(Self { id: jwk.id(), algorithm: jwk.algorithm(), key: key.ok()? })
    }
}

fn algorithm_of(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::RS256 => Algorithm::RS256,
        SigningAlgorithm::RS384 => Algorithm::RS384,
        SigningAlgorithm::RS512 => Algorithm::RS512,
        SigningAlgorithm::PS256 => Algorithm::PS256,
        SigningAlgorithm::ES256 => Algorithm::ES256,
        SigningAlgorithm::ES384 => Algorithm::ES384,
        SigningAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_keys;

    #[test]
    fn a_signature_of_another_algorithm_over_the_same_key_is_not_accepted() {
        let id = KeyId::numbered(1);
        let mut token = "header.claims".to_owned();
        test_keys::signing_key(id, SigningAlgorithm::PS256).append_signature(&mut token).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        for algorithm in SigningAlgorithm::ALL {
            let key = test_keys::signing_key(id, algorithm);
            let verifies = key.verifying_key().verifies(message.as_bytes(), signature);
            assert_eq!(verifies, algorithm == SigningAlgorithm::PS256, "{algorithm}");
        }
    }
}
