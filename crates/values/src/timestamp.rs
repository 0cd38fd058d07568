//! Instants in whole seconds, as tokens carry them (`NumericDate`, RFC 7519 §2).

use std::ops::Add;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Lifetime;

/// Ignores leap seconds (RFC 7519 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 9999-12-30T22:00:00Z in seconds: the last instant that is in the year 9999 at every offset.
    const LAST_WRITTEN: u64 = 253_402_207_200;

    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Stops at the epoch.
    #[must_use]
    pub const fn saturating_sub(self, lifetime: Lifetime) -> Self {
        Self(self.0.saturating_sub(lifetime.seconds()))
    }

    /// `2027-01-31T12:00:00Z` (RFC 3339 §5.6). Later instants than [`Timestamp::LAST_WRITTEN`] are
    /// written as that instant.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let seconds = i64::try_from(self.0.min(Self::LAST_WRITTEN)).unwrap_or_default();
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        at.format(&Rfc3339).expect("an instant of these years in UTC has this form")
    }

    /// Accepts a `T` or a space between date and time, and drops fractions of a second (RFC 3339
    /// §5.6). `None` before 1970 and after [`Timestamp::LAST_WRITTEN`].
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        // The library accepts any character between date and time.
        text.as_bytes().get(10).filter(|between| matches!(between, b'T' | b't' | b' '))?;
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let seconds = u64::try_from(at.unix_timestamp()).ok()?;
        (seconds <= Self::LAST_WRITTEN).then_some(Self(seconds))
    }
}

/// Saturates, because a configured duration must not overflow and move an expiry to 1970.
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
    fn adding_a_huge_lifetime_does_not_overflow() {
        let end = Timestamp::from_seconds(10) + Lifetime::from_seconds(u64::MAX);
        assert_eq!(end, Timestamp::from_seconds(u64::MAX));
    }

    #[test]
    fn timestamps_are_written_and_read_in_utc() {
        for (seconds, text) in [(0, "1970-01-01T00:00:00Z"), (1_801_396_801, "2027-01-31T12:00:01Z")] {
            assert_eq!(Timestamp::from_seconds(seconds).to_rfc3339(), text);
            assert_eq!(Timestamp::parse_rfc3339(text), Some(Timestamp::from_seconds(seconds)));
        }
        for (text, seconds) in [
            ("2027-01-31T13:00:01+01:00", 1_801_396_801),
            ("2027-01-31T12:00:01.9Z", 1_801_396_801),
            ("2027-01-31t12:00:01.123456789z", 1_801_396_801),
            ("2027-01-31 04:00:01-08:00", 1_801_396_801),
            ("2016-12-31T23:59:60Z", 1_483_228_799),
            ("9999-12-30T22:00:00Z", 253_402_207_200),
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text).map(Timestamp::seconds), Some(seconds), "{text}");
        }
        let bad = "9999-12-30T22:00:01Z 2027-02-29T12:00:01Z 2027-01-31T24:00:00Z 2027-01-31x12:00:01Z \
            2027-01-31T12:00:01+24:00 1969-12-31T23:59:59Z 2027-01-31 2027-01-31T12:00:01";
        for text in bad.split(' ').chain([""]) {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
        assert_eq!(Timestamp::from_seconds(u64::MAX).to_rfc3339(), "9999-12-30T22:00:00Z");
    }
}
