//! The kinds of keys, and the kind that each algorithm signs with (RFC 7518 §3.1, RFC 8037 §3.1).

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
    /// A kind that no algorithm signs with.
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

    /// The kind that `kty` and `crv` of a JWK name (RFC 7518 §6, RFC 8037 §2).
    pub(crate) fn named(kty: &str, crv: Option<&str>) -> Self {
        match (kty, crv) {
            ("RSA", _) => Self::Rsa,
            ("EC", Some("P-256")) => Self::P256,
            ("EC", Some("P-384")) => Self::P384,
            ("OKP", Some("Ed25519")) => Self::Ed25519,
            _ => Self::Other,
        }
    }

    /// The curve of an EC key.
    pub(crate) fn curve(self) -> Option<&'static EcdsaSigningAlgorithm> {
        match self {
            Self::P256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::P384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Self::Rsa | Self::Ed25519 | Self::Other => None,
        }
    }
}

/// The algorithm that `alg` of a JWK names.
pub(crate) fn algorithm_named(alg: &str) -> Option<SigningAlgorithm> {
    match alg {
        // This name includes the curve (RFC 9864 §2.2).
        "Ed25519" => Some(SigningAlgorithm::EdDSA),
        _ => alg.parse().ok(),
    }
}
