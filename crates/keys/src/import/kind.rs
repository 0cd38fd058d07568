//! The kind of an imported key, which must be the kind of its algorithm.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use protocol::SigningAlgorithm;

use super::ImportError;
use crate::PrivateKeyDocument;
use crate::key_kind::KeyKind;

impl KeyKind {
    /// Refuses an algorithm that a key of this kind cannot sign with.
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
