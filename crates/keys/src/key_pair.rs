//! One type for the three kinds of private keys. aws-lc-rs parses them, signs, verifies, and returns the
//! public key (RFC 7518 §3).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};
use latchkey_verifier::Algorithm;
use protocol::SigningAlgorithm;

use crate::PublicParameters;

#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The claims cannot be serialized as JSON.
    #[error("cannot write the claims as JSON")]
    Claims(#[from] serde_json::Error),
    #[error("the key cannot sign")]
    Signature,
}

pub(crate) struct KeyPair {
    private: ParsedKey,
    pub(crate) public: ParsedPublicKey,
    /// Bytes.
    pub(crate) signature_len: usize,
}

enum ParsedKey {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Bytes: the signature length of the largest accepted RSA key, with a margin.
pub(crate) const LONGEST_SIGNATURE: usize = 1024;

impl KeyPair {
    /// Parses a PKCS#8 document. `None` if the key does not fit the algorithm.
    pub(crate) fn parse(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Option<(Self, PublicParameters)> {
        let verification = verified_as(algorithm).verification();
        match algorithm {
            SigningAlgorithm::RS256 => rsa(pkcs8, &RSA_PKCS1_SHA256, verification),
            SigningAlgorithm::RS384 => rsa(pkcs8, &RSA_PKCS1_SHA384, verification),
            SigningAlgorithm::RS512 => rsa(pkcs8, &RSA_PKCS1_SHA512, verification),
            SigningAlgorithm::PS256 => rsa(pkcs8, &RSA_PSS_SHA256, verification),
            SigningAlgorithm::ES256 => ec(pkcs8, &ECDSA_P256_SHA256_FIXED_SIGNING, verification, "P-256"),
            SigningAlgorithm::ES384 => ec(pkcs8, &ECDSA_P384_SHA384_FIXED_SIGNING, verification, "P-384"),
            SigningAlgorithm::EdDSA => ed25519(pkcs8, verification),
        }
    }

    /// Signs into the buffer without allocating. ECDSA signatures are `R || S` (RFC 7518 §3.4).
    pub(crate) fn sign<'a>(
        &self,
        message: &[u8],
        buffer: &'a mut [u8; LONGEST_SIGNATURE],
    ) -> Result<&'a [u8], SignError> {
        let random = SystemRandom::new();
        let signature = buffer.get_mut(..self.signature_len).ok_or(SignError::Signature)?;
        let made = match &self.private {
            ParsedKey::Rsa(pair, encoding) => pair.sign(*encoding, &random, message, signature),
            ParsedKey::Ecdsa(pair) => {
                pair.sign(&random, message).map(|made| signature.copy_from_slice(made.as_ref()))
            }
            ParsedKey::Ed25519(pair) => {
                pair.try_sign(message).map(|made| signature.copy_from_slice(made.as_ref()))
            }
        };
        made.map(|()| &*signature).map_err(|_| SignError::Signature)
    }
}

/// The same algorithm as a type of `latchkey-verifier`, which verifies with it.
pub(crate) const fn verified_as(algorithm: SigningAlgorithm) -> Algorithm {
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

fn rsa(
    pkcs8: &[u8],
    encoding: &'static dyn RsaEncoding,
    verification: &'static dyn VerificationAlgorithm,
) -> Option<(KeyPair, PublicParameters)> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
    let signature_len = Some(pair.public_modulus_len()).filter(|length| *length <= LONGEST_SIGNATURE)?;
    let public = pair.public_key();
    let (n, e) = (public.modulus(), public.exponent());
    let parameters =
        PublicParameters::rsa(n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
    let public = ParsedPublicKey::new(verification, public).ok()?;
    Some((KeyPair { private: ParsedKey::Rsa(pair, encoding), public, signature_len }, parameters))
}

fn ec(
    pkcs8: &[u8],
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static dyn VerificationAlgorithm,
    crv: &'static str,
) -> Option<(KeyPair, PublicParameters)> {
    let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8).ok()?;
    let point = pair.public_key().as_ref();
    let parameters = PublicParameters::ec(crv, point)?;
    let public = ParsedPublicKey::new(verification, point).ok()?;
    // A point has one byte and two coordinates. A signature has two halves, each as long as a coordinate.
    let signature_len = point.len() - 1;
    Some((KeyPair { private: ParsedKey::Ecdsa(pair), public, signature_len }, parameters))
}

fn ed25519(
    pkcs8: &[u8],
    verification: &'static dyn VerificationAlgorithm,
) -> Option<(KeyPair, PublicParameters)> {
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
    let parameters = PublicParameters::ed25519(pair.public_key().as_ref());
    let public = ParsedPublicKey::new(verification, pair.public_key()).ok()?;
    Some((KeyPair { private: ParsedKey::Ed25519(pair), public, signature_len: 64 }, parameters))
}
