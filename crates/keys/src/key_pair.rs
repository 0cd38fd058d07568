//! The three kinds of private keys behind one type: parsed by aws-lc-rs, with signing and the public key (RFC 7518
//! §3).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use protocol::SigningAlgorithm;

use crate::{KeyId, PublicJwk, SignError};

/// A parsed private key.
pub(crate) enum KeyPair {
    Rsa { pair: RsaKeyPair, encoding: &'static dyn RsaEncoding },
    Ecdsa { pair: EcdsaKeyPair, signature_len: usize },
    Ed25519(Ed25519KeyPair),
}

/// The signature length of the largest accepted RSA key, with a margin.
pub(crate) const LONGEST_SIGNATURE: usize = 1024;

impl KeyPair {
    /// Parses a PKCS#8 document whose key fits the algorithm.
    pub(crate) fn parse(id: KeyId, algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Option<(Self, PublicJwk)> {
        match algorithm {
            SigningAlgorithm::RS256 => rsa(id, algorithm, pkcs8, &RSA_PKCS1_SHA256),
            SigningAlgorithm::RS384 => rsa(id, algorithm, pkcs8, &RSA_PKCS1_SHA384),
            SigningAlgorithm::RS512 => rsa(id, algorithm, pkcs8, &RSA_PKCS1_SHA512),
            SigningAlgorithm::PS256 => rsa(id, algorithm, pkcs8, &RSA_PSS_SHA256),
            SigningAlgorithm::ES256 => ec(id, algorithm, pkcs8, &ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            SigningAlgorithm::ES384 => ec(id, algorithm, pkcs8, &ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            SigningAlgorithm::EdDSA => ed25519(id, algorithm, pkcs8),
        }
    }

    /// The length of a signature.
    pub(crate) fn signature_len(&self) -> usize {
        match self {
            Self::Rsa { pair, .. } => pair.public_modulus_len(),
            Self::Ecdsa { signature_len, .. } => *signature_len,
            Self::Ed25519(_) => 64,
        }
    }

    /// Signs into the buffer without allocation; ECDSA signatures are `R || S` (RFC 7518 §3.4).
    pub(crate) fn sign<'a>(
        &self,
        message: &[u8],
        buffer: &'a mut [u8; LONGEST_SIGNATURE],
    ) -> Result<&'a [u8], SignError> {
        let random = SystemRandom::new();
        let signature = buffer.get_mut(..self.signature_len()).ok_or(SignError::Signature)?;
        let made = match self {
            Self::Rsa { pair, encoding } => pair.sign(*encoding, &random, message, signature),
            Self::Ecdsa { pair, .. } => {
                pair.sign(&random, message).map(|made| signature.copy_from_slice(made.as_ref()))
            }
            Self::Ed25519(pair) => {
                pair.try_sign(message).map(|made| signature.copy_from_slice(made.as_ref()))
            }
        };
        made.map(|()| &*signature).map_err(|_| SignError::Signature)
    }
}

fn rsa(
    id: KeyId,
    algorithm: SigningAlgorithm,
    pkcs8: &[u8],
    encoding: &'static dyn RsaEncoding,
) -> Option<(KeyPair, PublicJwk)> {
    let pair =
        RsaKeyPair::from_pkcs8(pkcs8).ok().filter(|pair| pair.public_modulus_len() <= LONGEST_SIGNATURE)?;
    let public_key = pair.public_key();
    let (modulus, exponent) = (public_key.modulus(), public_key.exponent());
    let jwk = PublicJwk::rsa(
        id,
        algorithm,
        modulus.big_endian_without_leading_zero(),
        exponent.big_endian_without_leading_zero(),
    );
    Some((KeyPair::Rsa { pair, encoding }, jwk))
}

fn ec(
    id: KeyId,
    algorithm: SigningAlgorithm,
    pkcs8: &[u8],
    signing: &'static EcdsaSigningAlgorithm,
    crv: &'static str,
) -> Option<(KeyPair, PublicJwk)> {
    let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8).ok()?;
    let jwk = PublicJwk::ec(id, algorithm, crv, pair.public_key().as_ref())?;
    // Each half of a signature is as long as a coordinate, and a point is two coordinates after one byte.
    let signature_len = pair.public_key().as_ref().len() - 1;
    Some((KeyPair::Ecdsa { pair, signature_len }, jwk))
}

fn ed25519(id: KeyId, algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Option<(KeyPair, PublicJwk)> {
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
    let jwk = PublicJwk::ed25519(id, algorithm, pair.public_key().as_ref());
    Some((KeyPair::Ed25519(pair), jwk))
}
