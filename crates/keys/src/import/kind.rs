//! Checks that an imported key has the kind that its algorithm requires, and that it is large enough.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use protocol::SigningAlgorithm;

use super::ImportError;
use crate::PrivateKeyDocument;
use crate::key_kind::KeyKind;

impl KeyKind {
    /// Refuses an algorithm that keys of this kind cannot sign with.
    pub(super) fn check(self, algorithm: SigningAlgorithm) -> Result<(), ImportError> {
        if self == Self::from_algorithm(algorithm) {
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

/// The smallest accepted public exponent, 65 537.
const LEAST_EXPONENT: [u8; 3] = [1, 0, 1];

/// Checks a new RSA key. Stored keys stay valid. Modulus and exponent are big-endian.
pub(super) fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), ImportError> {
    let modulus = without_zeros(modulus);
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    if !(2048..=4096).contains(&bits) {
        return Err(ImportError::RsaSize { bits });
    }
    let exponent = without_zeros(exponent);
    let least = (LEAST_EXPONENT.len(), &LEAST_EXPONENT[..]);
    if (exponent.len(), exponent) < least { Err(ImportError::RsaExponent) } else { Ok(()) }
}

/// The number without leading zeros.
pub(super) fn without_zeros(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[first..]
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

/// aws-lc-rs has already checked that the numbers of the key fit together.
pub(super) fn document_of_rsa(
    pair: Result<RsaKeyPair, KeyRejected>,
) -> Result<PrivateKeyDocument, ImportError> {
    let pair = pair.map_err(|_| ImportError::Malformed)?;
    let document: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| ImportError::Malformed)?;
    Ok(PrivateKeyDocument::copy_of(document.as_ref()))
}
