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
use zeroize::Zeroizing;

/// A PKCS#8 document in DER. It has no `Clone`: each copy would have to be wiped too.
pub struct PrivateKeyDocument(Zeroizing<Vec<u8>>);

/// The cryptographic library had no random bytes or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key could not be generated")]
pub struct GenerationError;

impl PrivateKeyDocument {
    /// Makes a key. RSA has 2048 bits and takes some 60 ms; the others take well below a millisecond.
    ///
    /// # Errors
    /// [`GenerationError`].
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, GenerationError> {
        match algorithm {
            SigningAlgorithm::RS256
            | SigningAlgorithm::RS384
            | SigningAlgorithm::RS512
            | SigningAlgorithm::PS256 => generate_rsa(),
            SigningAlgorithm::ES256 => generate_ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            SigningAlgorithm::ES384 => generate_ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            // Version 1, because several libraries cannot read the version 2 document of an Ed25519 key.
            SigningAlgorithm::EdDSA => {
                let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new());
                document.map(|document| Self::copy_of(document.as_ref())).map_err(|_| GenerationError)
            }
        }
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

fn generate_rsa() -> Result<PrivateKeyDocument, GenerationError> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| GenerationError)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| GenerationError)?;
    Ok(PrivateKeyDocument::copy_of(der.as_ref()))
}

fn generate_ec(curve: &'static EcdsaSigningAlgorithm) -> Result<PrivateKeyDocument, GenerationError> {
    let document = EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new()).map_err(|_| GenerationError)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
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
