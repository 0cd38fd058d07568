//! Instants in whole seconds, as tokens carry them (`NumericDate`, RFC 7519 §2).

use std::ops::Add;

use serde::{Deserialize, Serialize};

use crate::Lifetime;

/// Seconds since 1970-01-01T00:00:00Z, leap seconds ignored (RFC 7519 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

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

    /// The instant that long before, or the epoch where there is none.
    #[must_use]
    pub const fn saturating_sub(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_sub(lifetime.seconds()))
    }

    /// As people and programs write it: `2027-01-31T12:00:00Z` (RFC 3339 §5.6). Beyond the year 9999 that year's end.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds)
            .unwrap_or(jiff::Timestamp::MAX)
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    }

    /// From a date and time with its offset (RFC 3339 §5.6); fractions of a second are dropped. None before 1970.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(parsed.as_second()).ok().map(Self)
    }
}

/// Saturates: a lifetime from configuration must not wrap an expiry round to 1970.
impl Add<Lifetime> for Timestamp {
    type Output = Self;

    fn add(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_add(lifetime.seconds()))
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

    #[test]
    fn an_instant_is_written_and_read_in_utc() {
        for (seconds, text) in [(0, "1970-01-01T00:00:00Z"), (1_801_396_801, "2027-01-31T12:00:01Z")] {
            assert_eq!(Timestamp::from_seconds(seconds).to_rfc3339(), text);
            assert_eq!(Timestamp::parse_rfc3339(text), Some(Timestamp::from_seconds(seconds)));
        }
        for (text, seconds) in [
            ("2027-01-31T13:00:01+01:00", Some(1_801_396_801)),
            ("2027-01-31T12:00:01.9Z", Some(1_801_396_801)),
            ("1969-12-31T23:59:59Z", None),
            ("2027-01-31", None),
            ("2027-01-31T12:00:01", None),
            ("", None),
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text).map(Timestamp::seconds), seconds, "{text}");
        }
        assert_eq!(Timestamp::from_seconds(u64::MAX).to_rfc3339(), "9999-12-30T22:00:00Z");
    }
}
