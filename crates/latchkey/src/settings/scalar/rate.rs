//! Rates: how often something may happen.

use std::time::Duration;

use protocol::cropped;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often something may happen, written as a count and s, min or h: `10000/min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^0*[1-9][0-9]*/(s|min|h)$"))]
pub(crate) struct Rate {
    /// How many times.
    pub(crate) count: u32,
    unit: (&'static str, u64),
}

/// The spans of time that a count may be for, in seconds.
const UNITS: [(&str, u64); 3] = [("s", 1), ("min", 60), ("h", 3600)];

impl Rate {
    pub(crate) const fn per_minute(count: u32) -> Self {
        Self { count, unit: UNITS[1] }
    }

    /// The span of time that the count is for.
    pub(crate) const fn period(self) -> Duration {
        Duration::from_secs(self.unit.1)
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let rate = text.split_once('/').and_then(|(count, unit)| {
            let unit = UNITS.into_iter().find(|(name, _)| *name == unit)?;
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            let count = count.parse().ok().filter(|count| digits && *count > 0)?;
            Some(Self { count, unit })
        });
        rate.ok_or_else(|| {
            format!("`{}` is not a rate; write a count and s, min or h, such as 10000/min", cropped(&text))
        })
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        format!("{}/{}", rate.count, rate.unit.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_count_and_a_unit() {
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
            let found =
                Rate::try_from(text.to_owned()).ok().map(|rate| (rate.count, rate.period().as_secs()));
            assert_eq!(found, rate, "{text}");
        }
    }
}
