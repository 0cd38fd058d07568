//! What a key of a tenant does: it signs with one algorithm, or it encrypts opaque access tokens.

use protocol::SigningAlgorithm;
use serde::{Deserialize, Serialize};

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
    derive_more::Display,
    derive_more::From,
)]
#[display("{}", self.as_str())]
#[serde(into = "&'static str", try_from = "String")]
pub enum KeyAlgorithm {
    Signing(SigningAlgorithm),
    /// AES-256-GCM-SIV (RFC 8452), for opaque access tokens.
    OpaqueTokens,
}

/// This version has no such algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an algorithm of keys")]
pub struct UnknownKeyAlgorithm;

impl KeyAlgorithm {
    pub const COUNT: usize = SigningAlgorithm::ALL.len() + 1;

    /// In the order of [`KeyAlgorithm::index`].
    pub fn all() -> impl Iterator<Item = Self> {
        SigningAlgorithm::ALL.into_iter().map(Self::Signing).chain([Self::OpaqueTokens])
    }

    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Signing(algorithm) => algorithm as usize,
            Self::OpaqueTokens => Self::COUNT - 1,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signing(algorithm) => algorithm.as_str(),
            Self::OpaqueTokens => "AES-256-GCM-SIV",
        }
    }

    /// `None` if the key does not sign.
    #[must_use]
    pub const fn signing(self) -> Option<SigningAlgorithm> {
        match self {
            Self::Signing(algorithm) => Some(algorithm),
            Self::OpaqueTokens => None,
        }
    }

    /// Whether keys of both algorithms succeed each other.
    #[must_use]
    pub const fn has_use_of(self, other: Self) -> bool {
        self.signing().is_some() == other.signing().is_some()
    }
}

impl std::str::FromStr for KeyAlgorithm {
    type Err = UnknownKeyAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            _ if name == Self::OpaqueTokens.as_str() => Ok(Self::OpaqueTokens),
            _ => name.parse().map(Self::Signing).map_err(|_| UnknownKeyAlgorithm),
        }
    }
}

impl From<KeyAlgorithm> for &'static str {
    fn from(algorithm: KeyAlgorithm) -> Self {
        algorithm.as_str()
    }
}

impl TryFrom<String> for KeyAlgorithm {
    type Error = UnknownKeyAlgorithm;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl PartialEq<SigningAlgorithm> for KeyAlgorithm {
    fn eq(&self, other: &SigningAlgorithm) -> bool {
        self.signing() == Some(*other)
    }
}
