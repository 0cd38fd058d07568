//! How a tenant signs, and how long verifiers may cache its public keys.

use protocol::SigningAlgorithm;
use serde::{Deserialize, Serialize};
use values::{Lifetime, named};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningPolicy {
    pub algorithm: SigningAlgorithm,
    /// How long a key signs before its successor takes over.
    pub rotate_every: Lifetime,
    /// How long a key is published before it signs.
    pub publish_before: Lifetime,
    /// `max-age` of the JWKS answer (RFC 9111 §5.2.2.1).
    pub jwks_max_age: Lifetime,
    /// `stale-while-revalidate` of the JWKS answer (RFC 5861 §3).
    pub jwks_stale: Lifetime,
    /// The maximum difference between clocks.
    pub skew: Lifetime,
    /// The size of new RSA keys: 2048, 3072 or 4096 bits. Ignored for other algorithms.
    pub rsa_bits: u32,
    #[serde(default)]
    pub kid: KidForm,
    /// The maximum time that the activation of a key is delayed until all polling verifiers have fetched the
    /// key. By default activation is not delayed.
    pub hold_activation: Option<Lifetime>,
}

/// The form of `kid` for new keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KidForm {
    /// `oauth2-key-N`, counted for each tenant. If an issuer moves to another store, different keys may have
    /// the same `kid`.
    #[default]
    Numbered,
    /// The start of the key's thumbprint (RFC 7638).
    Thumbprint,
}

named!(KidForm { Numbered => "numbered", Thumbprint => "thumbprint" });

impl Default for SigningPolicy {
    fn default() -> Self {
        Self {
            algorithm: SigningAlgorithm::RS256,
            rotate_every: Lifetime::from_seconds(90 * 86_400),
            publish_before: Lifetime::from_seconds(86_400),
            jwks_max_age: Lifetime::from_seconds(300),
            jwks_stale: Lifetime::from_seconds(60),
            skew: Lifetime::from_seconds(60),
            rsa_bits: 2048,
            kid: KidForm::default(),
            hold_activation: None,
        }
    }
}
