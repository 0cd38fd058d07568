//! Instants and spans in whole seconds, as tokens carry them (`NumericDate`, RFC 7519 §2).

use std::ops::Add;

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, leap seconds ignored (RFC 7519 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

/// A span in seconds: of a token, of a window, of a cached answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lifetime(u64);

impl Timestamp {
    /// From seconds since the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl Lifetime {
    /// From seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

/// Saturates: a lifetime from configuration must not wrap an expiry round to 1970.
impl Add<Lifetime> for Timestamp {
    type Output = Self;

    fn add(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_add(lifetime.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_lifetime_does_not_wrap() {
        let end = Timestamp::from_seconds(10) + Lifetime::from_seconds(u64::MAX);
        assert_eq!(end, Timestamp::from_seconds(u64::MAX));
    }
}
