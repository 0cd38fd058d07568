//! What an imported key must be: of the kind of its algorithm, and large enough.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use protocol::SigningAlgorithm;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::{BigUint, RsaPrivateKey};

use super::ImportError;
use crate::PrivateKeyDocument;
use crate::key_kind::KeyKind;

impl KeyKind {
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
}

/// Of a key that is new here; those that are stored already go on.
pub(super) fn check_rsa(bits: usize, exponent: &BigUint) -> Result<(), ImportError> {
    if !(2048..=4096).contains(&bits) {
        return Err(ImportError::RsaSize { bits });
    }
    if *exponent < BigUint::from(65_537_u32) { Err(ImportError::RsaExponent) } else { Ok(()) }
}

pub(super) fn document_of_ec(
    pair: Result<EcdsaKeyPair, KeyRejected>,
) -> Result<PrivateKeyDocument, ImportError> {
    let document = pair.ok().and_then(|pair| pair.to_pkcs8v1().ok()).ok_or(ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}

pub(super) fn document_of_ed25519(
    pair: Result<Ed25519KeyPair, KeyRejected>,
) -> Result<PrivateKeyDocument, ImportError> {
    let document = pair.ok().and_then(|pair| pair.to_pkcs8v1().ok()).ok_or(ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}

pub(super) fn document_of_rsa(key: &RsaPrivateKey) -> Result<PrivateKeyDocument, ImportError> {
    let document = key.to_pkcs8_der().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_bytes()))
}
