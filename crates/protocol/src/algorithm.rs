//! The `alg` values that a tenant may sign with (RFC 7518 §3.1, RFC 8037 §3.1).

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// An asymmetric signature algorithm. `none` and the HMAC family have no variant, so no configuration can
/// name them. Names are case-sensitive (RFC 7515 §4.1.1).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    derive_more::Display,
)]
#[display("{}", self.as_str())]
pub enum SigningAlgorithm {
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

impl SigningAlgorithm {
    /// In the order of the documentation.
    pub const ALL: [Self; 7] =
        [Self::RS256, Self::RS384, Self::RS512, Self::PS256, Self::ES256, Self::ES384, Self::EdDSA];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [keys RFC 7518 §3.1]: HS256 is implemented. Left out on purpose: a verifier that shares the secret
    //   could issue tokens | absent
    // [jwt RFC 8725 §3.2]: Only algorithms that are secure today; `none` never
    // [access-tokens RFC 9068 §2.1]
    #[test]
    fn names_round_trip_and_symmetric_ones_are_unknown() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
        for name in ["none", "HS256", "rs256", ""] {
            assert!(name.parse::<SigningAlgorithm>().is_err(), "{name}");
        }
    }
}
