//! What kind of key it is, and which algorithms that kind can sign with.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair,
};
use protocol::SigningAlgorithm;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::{BigUint, RsaPrivateKey};

use super::ImportError;
use crate::PrivateKeyDocument;

/// The kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
    Other,
}

impl Kind {
    /// The kind that this algorithm signs with.
    pub(super) fn of(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::RS256
            | SigningAlgorithm::RS384
            | SigningAlgorithm::RS512
            | SigningAlgorithm::PS256 => Self::Rsa,
            SigningAlgorithm::ES256 => Self::P256,
            SigningAlgorithm::ES384 => Self::P384,
            SigningAlgorithm::EdDSA => Self::Ed25519,
        }
    }

    /// Refuses an algorithm that a key of this kind cannot sign with.
    pub(super) fn check(self, algorithm: SigningAlgorithm) -> Result<(), ImportError> {
        if self == Self::of(algorithm) {
            return Ok(());
        }
        let found = match self {
            Self::Rsa => "an RSA key",
            Self::P256 => "an EC key on P-256",
            Self::P384 => "an EC key on P-384",
            Self::Ed25519 => "an Ed25519 key",
            Self::Other => "a key of another kind",
        };
        Err(ImportError::Mismatch { found, algorithm })
    }

    /// The curve of an EC key.
    pub(super) fn curve(self) -> Option<&'static EcdsaSigningAlgorithm> {
        match self {
            Self::P256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::P384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Self::Rsa | Self::Ed25519 | Self::Other => None,
        }
    }
}

/// Of a key that is new here; those that are stored already go on.
pub(super) fn check_rsa(bits: usize, exponent: &BigUint) -> Result<(), ImportError> {
    if !(2048..=4096).contains(&bits) {
        return Err(ImportError::RsaSize { bits });
    }
    if *exponent < BigUint::from(65_537_u32) { Err(ImportError::RsaExponent) } else { Ok(()) }
}

pub(super) fn document_of_ec(pair: &EcdsaKeyPair) -> Result<PrivateKeyDocument, ImportError> {
    let document = pair.to_pkcs8v1().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}

pub(super) fn document_of_ed25519(pair: &Ed25519KeyPair) -> Result<PrivateKeyDocument, ImportError> {
    let document = pair.to_pkcs8v1().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}

pub(super) fn document_of_rsa(key: &RsaPrivateKey) -> Result<PrivateKeyDocument, ImportError> {
    let document = key.to_pkcs8_der().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_bytes()))
}
