//! Private keys as PKCS#8 documents (RFC 5958): made by aws-lc-rs, wiped when dropped, never printed.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, RsaKeyPair,
};
use protocol::SigningAlgorithm;
use tenancy::SigningPolicy;
use zeroize::Zeroizing;

/// A PKCS#8 document in DER. It has no `Clone`: each copy would have to be wiped too.
pub struct PrivateKeyDocument(Zeroizing<Vec<u8>>);

/// How long the modulus of a new RSA key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RsaSize {
    /// What a [`KeyPool`](crate::KeyPool) holds, and what signs fastest.
    #[default]
    Bits2048,
    /// As much as 128 bits of security (NIST SP 800-57 part 1, table 2).
    Bits3072,
    /// The most that is taken, and what signs slowest.
    Bits4096,
}

/// What kind of key is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// What it will sign with.
    pub algorithm: SigningAlgorithm,
    /// How long it is if it is an RSA key; the others have one size for each algorithm.
    pub rsa_size: RsaSize,
}

/// The cryptographic library had no random bytes or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key could not be generated")]
pub struct GenerationError;

impl PrivateKeyDocument {
    /// Makes a key of this algorithm. RSA has 2048 bits.
    ///
    /// # Errors
    /// [`GenerationError`].
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, GenerationError> {
        Self::of(KeySpec { algorithm, rsa_size: RsaSize::default() })
    }

    /// Makes a key of this kind. RSA takes some 60 ms and more; the others take well below a millisecond.
    ///
    /// # Errors
    /// [`GenerationError`].
    pub fn of(spec: KeySpec) -> Result<Self, GenerationError> {
        match spec.algorithm {
            SigningAlgorithm::RS256
            | SigningAlgorithm::RS384
            | SigningAlgorithm::RS512
            | SigningAlgorithm::PS256 => Self::generate_rsa(spec.rsa_size),
            SigningAlgorithm::ES256 => generate_ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            SigningAlgorithm::ES384 => generate_ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            // Version 1, because several libraries cannot read the version 2 document of an Ed25519 key.
            SigningAlgorithm::EdDSA => {
                let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new());
                document.map(|document| Self::copy_of(document.as_ref())).map_err(|_| GenerationError)
            }
        }
    }

    /// Makes an RSA key of this size.
    ///
    /// # Errors
    /// [`GenerationError`].
    pub fn generate_rsa(size: RsaSize) -> Result<Self, GenerationError> {
        let size = match size {
            RsaSize::Bits2048 => KeySize::Rsa2048,
            RsaSize::Bits3072 => KeySize::Rsa3072,
            RsaSize::Bits4096 => KeySize::Rsa4096,
        };
        let pair = RsaKeyPair::generate(size).map_err(|_| GenerationError)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| GenerationError)?;
        Ok(Self::copy_of(der.as_ref()))
    }

    /// The document itself. The name is long so that each use stands out in review.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn copy_of(der: &[u8]) -> Self {
        Self(Zeroizing::new(der.to_vec()))
    }
}

fn generate_ec(curve: &'static EcdsaSigningAlgorithm) -> Result<PrivateKeyDocument, GenerationError> {
    let document = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new()).map_err(|_| GenerationError)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}

impl KeySpec {
    /// Of the keys that a tenant of this policy is given.
    #[must_use]
    pub fn new(policy: &SigningPolicy) -> Self {
        let rsa_size = RsaSize::from_bits(policy.rsa_bits).unwrap_or_default();
        Self { algorithm: policy.algorithm, rsa_size }
    }

    /// The size, if it is an RSA key.
    #[must_use]
    pub fn rsa(self) -> Option<RsaSize> {
        match self.algorithm {
            SigningAlgorithm::RS256
            | SigningAlgorithm::RS384
            | SigningAlgorithm::RS512
            | SigningAlgorithm::PS256 => Some(self.rsa_size),
            SigningAlgorithm::ES256 | SigningAlgorithm::ES384 | SigningAlgorithm::EdDSA => None,
        }
    }
}

impl RsaSize {
    /// The size of this many bits, if keys of it are made.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            2048 => Some(Self::Bits2048),
            3072 => Some(Self::Bits3072),
            4096 => Some(Self::Bits4096),
            _ => None,
        }
    }

    /// In bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits2048 => 2048,
            Self::Bits3072 => 3072,
            Self::Bits4096 => 4096,
        }
    }
}

impl From<Zeroizing<Vec<u8>>> for PrivateKeyDocument {
    fn from(der: Zeroizing<Vec<u8>>) -> Self {
        Self(der)
    }
}

impl fmt::Debug for PrivateKeyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyId, SigningKey};

    #[test]
    fn rsa_keys_have_the_requested_size() {
        for size in [RsaSize::Bits2048, RsaSize::Bits3072, RsaSize::Bits4096] {
            let document = PrivateKeyDocument::generate_rsa(size).unwrap();
            let key =
                SigningKey::parse(KeyId::numbered(1), SigningAlgorithm::PS256, document.expose()).unwrap();
            let token = key.sign("JWT", &serde_json::json!({})).unwrap();
            let (message, signature) = token.rsplit_once('.').unwrap();
            assert!(key.verifying_key().verifies(message.as_bytes(), signature));
            assert_eq!(signature.len(), (size.bits() as usize / 8 * 4).div_ceil(3));
            assert_eq!(RsaSize::from_bits(size.bits()), Some(size));
        }
        assert!([0, 1024, 2047, 8192].into_iter().all(|bits| RsaSize::from_bits(bits).is_none()));
    }
}
