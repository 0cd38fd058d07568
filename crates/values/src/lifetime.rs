//! Durations in whole seconds.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use crate::cropped;

/// Written and stored in seconds. Read as seconds, or as an integer with a unit: `90s`, `15m`,
/// `1h`, `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Lifetime(u64);

/// The messages tell the reader what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// The text is not an integer with a unit.
    #[error("`{0}` is not a duration; use an integer followed by s, m, h or d, such as 90s, 15m, 1h or 30d")]
    Malformed(String),
    /// Longer than [`Lifetime::LONGEST`].
    #[error("`{0}` is longer than 36525d; use a shorter duration")]
    TooLong(String),
}

impl Lifetime {
    /// A hundred years. A longer duration is a mistake, and sums with it would overflow.
    pub const LONGEST: Self = Self(36_525 * 86_400);

    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Lifetime {
    /// Uses the largest unit that needs no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0s"),
            seconds if seconds % 86_400 == 0 => write!(f, "{}d", seconds / 86_400),
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, LifetimeError> {
        const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
        let with_unit =
            UNITS.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
        let (digits, unit) = with_unit.unwrap_or((text, 1));
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(LifetimeError::Malformed(cropped(text)));
        }
        let seconds = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit)).map(Self);
        seconds.filter(|span| *span <= Self::LONGEST).ok_or_else(|| LifetimeError::TooLong(cropped(text)))
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LifetimeUnits;

        impl Visitor<'_> for LifetimeUnits {
            type Value = Lifetime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration")
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Lifetime, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Lifetime, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Lifetime, E> {
                self.visit_str(&format!("{seconds:?}"))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Lifetime, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_unit<E: Error>(self) -> Result<Lifetime, E> {
                Err(E::custom("the value is missing; add a value after the colon, or remove the key"))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Lifetime, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(LifetimeUnits)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn lifetime_is_parsed_as_seconds_or_with_unit() {
        let longest = Lifetime::LONGEST.seconds();
        for (texts, seconds) in [
            (&["0s"][..], Some(0)),
            (&["2s"], Some(2)),
            (&["15m"], Some(900)),
            (&["1h", "3600"], Some(3600)),
            (&["90d"], Some(7_776_000)),
            (&["36525d"], Some(longest)),
            (&["", "s", "1.5h", "-1s", "+1s", "1 h", "1w", "1é", "36526d", "99999999999999999999d"], None),
        ] {
            for text in texts {
                assert_eq!(text.parse::<Lifetime>().ok().map(Lifetime::seconds), seconds, "{text}");
            }
        }
    }

    #[test]
    fn lifetime_is_shown_in_its_largest_unit() {
        for text in ["0s", "61s", "15m", "25h", "2d"] {
            assert_eq!(text.parse::<Lifetime>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn json_lifetime_is_seconds_or_text() {
        let read = |value: Value| serde_json::from_value::<Lifetime>(value).ok().map(Lifetime::seconds);
        for value in [json!(3600), json!("3600"), json!("1h"), json!("60m")] {
            assert_eq!(read(value), Some(3600));
        }
        for value in [json!(-1), json!(1.5), json!(true), json!(null), json!([]), json!(u64::MAX), json!("x")]
        {
            assert_eq!(read(value.clone()), None, "{value}");
        }
        assert_eq!(json!(Lifetime::from_seconds(3600)), json!(3600));
    }
}
