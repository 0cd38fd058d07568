//! The kinds of keys, and the kind for each algorithm (RFC 7518 §3.1, RFC 8037 §3.1).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaSigningAlgorithm,
};
use protocol::SigningAlgorithm;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    P256,
    P384,
    Ed25519,
    /// A kind without a signing algorithm.
    Other,
}

impl KeyKind {
    pub(crate) fn from_algorithm(algorithm: SigningAlgorithm) -> Self {
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

    /// The kind for `kty` and `crv` of a JWK (RFC 7518 §6, RFC 8037 §2).
    pub(crate) fn named(kty: &str, crv: Option<&str>) -> Self {
        match (kty, crv) {
            ("RSA", _) => Self::Rsa,
            ("EC", Some("P-256")) => Self::P256,
            ("EC", Some("P-384")) => Self::P384,
            ("OKP", Some("Ed25519")) => Self::Ed25519,
            _ => Self::Other,
        }
    }

    /// `None` if this is not an EC key.
    pub(crate) fn curve(self) -> Option<&'static EcdsaSigningAlgorithm> {
        match self {
            Self::P256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::P384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Self::Rsa | Self::Ed25519 | Self::Other => None,
        }
    }
}

/// The algorithm for `alg` of a JWK.
pub(crate) fn algorithm_named(alg: &str) -> Option<SigningAlgorithm> {
    match alg {
        // RFC 9864 §2.2: this name includes the curve.
        "Ed25519" => Some(SigningAlgorithm::EdDSA),
        _ => alg.parse().ok(),
    }
}
