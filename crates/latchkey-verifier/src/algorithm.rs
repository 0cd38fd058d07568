//! The signature algorithms that a token may have (RFC 7518 §3.1, RFC 8037 §3.1). `none` and HMAC have no
//! name here, so nothing can allow them.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, VerificationAlgorithm,
};
use jsonwebtoken::jwk::KeyAlgorithm;

/// An asymmetric signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::RS256, Self::RS384, Self::RS512, Self::PS256, Self::ES256, Self::ES384, Self::EdDSA];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The algorithm of this name. Names are case-sensitive (RFC 7515 §4.1.1).
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::of_library(name.parse().ok()?)
    }

    /// The algorithm that `alg` of a JWK names.
    pub(crate) fn of_jwk(algorithm: KeyAlgorithm) -> Option<Self> {
        Self::of_library(algorithm.try_into().ok()?)
    }

    /// jsonwebtoken also has HMAC, PS384 and PS512.
    fn of_library(algorithm: jsonwebtoken::Algorithm) -> Option<Self> {
        use jsonwebtoken::Algorithm as Named;
        Some(match algorithm {
            Named::RS256 => Self::RS256,
            Named::RS384 => Self::RS384,
            Named::RS512 => Self::RS512,
            Named::PS256 => Self::PS256,
            Named::ES256 => Self::ES256,
            Named::ES384 => Self::ES384,
            Named::EdDSA => Self::EdDSA,
            _ => return None,
        })
    }

    /// How its signatures are verified.
    #[doc(hidden)]
    #[must_use]
    pub fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::RS384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::RS512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::PS256 => &RSA_PSS_2048_8192_SHA256,
            Self::ES256 => &ECDSA_P256_SHA256_FIXED,
            Self::ES384 => &ECDSA_P384_SHA384_FIXED,
            Self::EdDSA => &ED25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithms(u8);

impl Algorithms {
    /// RS384 and RS512 are missing, because they gain nothing over RS256 and cost a longer hash.
    pub const DEFAULT: Self = Self::from_algorithms(&[
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ]);

    /// All algorithms.
    pub const ALL: Self = Self::from_algorithms(&Algorithm::ALL);

    const fn from_algorithms(algorithms: &[Algorithm]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < algorithms.len() {
            bits |= 1 << algorithms[index] as u8;
            index += 1;
        }
        Self(bits)
    }

    /// The set with this algorithm as well.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | 1 << algorithm as u8)
    }

    /// Whether this algorithm is allowed.
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm as u8) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithm_names_are_exact_and_exclude_none_and_hmac() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::named(algorithm.as_str()), Some(algorithm));
            assert_eq!(Algorithm::named(&algorithm.as_str().to_lowercase()), None);
        }
        for name in ["none", "None", "HS256", "HS384", "HS512", "ES512", "ES256K", "RSA-OAEP", "", "Ed25519"]
        {
            assert_eq!(Algorithm::named(name), None, "{name}");
        }
    }

    #[test]
    fn rs384_and_rs512_are_off_by_default() {
        for algorithm in Algorithm::ALL {
            let by_default = !matches!(algorithm, Algorithm::RS384 | Algorithm::RS512);
            assert_eq!(Algorithms::DEFAULT.contains(algorithm), by_default, "{algorithm}");
            assert!(Algorithms::DEFAULT.with(algorithm).contains(algorithm));
        }
    }
}
