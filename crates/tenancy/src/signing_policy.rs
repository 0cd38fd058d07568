//! How a tenant signs, and how long verifiers may cache its public keys.

use protocol::SigningAlgorithm;
use serde::{Deserialize, Serialize};
use values::{Lifetime, named};

/// Algorithm and windows of a tenant's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningPolicy {
    /// The algorithm of new tokens.
    pub algorithm: SigningAlgorithm,
    /// How long a key signs before the next one takes over.
    pub rotate_every: Lifetime,
    /// How long a key is published before it signs.
    pub publish_before: Lifetime,
    /// `max-age` of the JWKS answer (RFC 9111 §5.2.2.1).
    pub jwks_max_age: Lifetime,
    /// `stale-while-revalidate` of the JWKS answer (RFC 5861 §3).
    pub jwks_stale: Lifetime,
    /// The difference between clocks that is allowed.
    pub skew: Lifetime,
    /// How long new RSA keys are: 2048, 3072 or 4096 bits. Other algorithms have one size.
    pub rsa_bits: u32,
    /// How new keys are named.
    #[serde(default)]
    pub kid: KidForm,
    /// How long a key may wait to sign until the polling verifiers have fetched it. If it is absent, the key
    /// does not wait.
    pub hold_activation: Option<Lifetime>,
}

/// How a new key is named in tokens and key sets: its `kid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KidForm {
    /// `oauth2-key-N`, counted by tenant. If one issuer moves from one store to another, different keys may
    /// have the same name.
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
