//! Rates: a maximum number of events in a time window.

use std::str::FromStr;

use derives::{DeserializeFromStr, SerializeDisplay};
use strum::{Display, EnumString};

use crate::{Lifetime, Timestamp, cropped};

/// A maximum number of events in a time window, written as a count and s, min or h: `10000/min`.
/// Windows begin with each second, minute or hour.
#[derive(Clone, Copy, Debug, derive_more::Display, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
#[display("{count}/{unit}")]
pub struct Rate {
    pub count: u32,
    pub unit: RateUnit,
}

/// The length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString)]
pub enum RateUnit {
    #[strum(to_string = "s")]
    Second,
    #[strum(to_string = "min")]
    Minute,
    #[strum(to_string = "h")]
    Hour,
}

/// The message tells the reader what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate; use a number per s, min or h, such as 10000/min")]
pub struct InvalidRate(String);

impl Rate {
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self { count, unit: RateUnit::Minute }
    }

    /// The number of the window that contains this instant, counted from 1970.
    #[must_use]
    pub const fn span(self, now: Timestamp) -> u64 {
        now.seconds() / self.unit.seconds()
    }

    /// The time until the current window ends.
    #[must_use]
    pub const fn rest(self, now: Timestamp) -> Lifetime {
        Lifetime::from_seconds(self.unit.seconds() - now.seconds() % self.unit.seconds())
    }
}

impl RateUnit {
    pub const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
        }
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let rate = text.split_once('/').and_then(|(count, unit)| {
            let unit = unit.parse().ok()?;
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            let count = count.parse().ok().filter(|count| digits && *count > 0)?;
            Some(Self { count, unit })
        });
        rate.ok_or_else(|| InvalidRate(cropped(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_parsed_as_count_and_unit() {
        for (text, rate) in [
            ("10000/min", Some((10_000, 60))),
            ("5/s", Some((5, 1))),
            ("1/h", Some((1, 3600))),
            ("0/s", None),
            ("+5/s", None),
            ("10000", None),
            ("10/day", None),
            ("/min", None),
        ] {
            let found = text.parse::<Rate>().ok();
            assert_eq!(found.map(|rate| (rate.count, rate.unit.seconds())), rate, "{text}");
            assert_eq!(found.map(|rate| rate.to_string()), rate.map(|_| text.to_owned()));
        }
    }

    #[test]
    fn periods_begin_with_each_second_minute_or_hour() {
        for (text, now, span, rest) in [
            ("1/s", 7, 7, 1),
            ("1/min", 60, 1, 60),
            ("1/min", 119, 1, 1),
            ("1/h", 7199, 1, 1),
            ("1/h", 7200, 2, 3600),
        ] {
            let (rate, now) = (text.parse::<Rate>().unwrap(), Timestamp::from_seconds(now));
            assert_eq!((rate.span(now), rate.rest(now).seconds()), (span, rest), "{text} at {now:?}");
        }
    }
}
