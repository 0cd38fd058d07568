//! Spans of time.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cropped;

/// A span of time in whole seconds, written as an integer and s, m, h or d: `90s`, `15m`, `1h`, `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9]+[smhd]$"))]
pub(crate) struct Lifetime(u64);

/// A longer span is a slip of the pen, and would overflow the times it is added to.
const LONGEST: u64 = 36_525 * 86_400;

impl Lifetime {
    pub(crate) const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    pub(crate) const fn as_secs(self) -> u64 {
        self.0
    }
}

impl TryFrom<String> for Lifetime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let hint = "write an integer and s, m, h or d, such as 90s, 15m, 1h or 30d";
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return Err(format!("`{}` is not a span of time; {hint}", cropped(&text))),
        };
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("`{}` is not a span of time; {hint}", cropped(&text)));
        }
        match digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit)) {
            Some(seconds) if seconds <= LONGEST => Ok(Self(seconds)),
            _ => Err(format!("`{}` is longer than 36525d; write a shorter span of time", cropped(&text))),
        }
    }
}

impl fmt::Display for Lifetime {
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

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_is_an_integer_and_a_unit() {
        for (text, seconds) in [
            ("0s", Some(0)),
            ("2s", Some(2)),
            ("15m", Some(900)),
            ("1h", Some(3600)),
            ("90d", Some(7_776_000)),
            ("3600", None),
            ("", None),
            ("s", None),
            ("1.5h", None),
            ("-1s", None),
            ("+1s", None),
            ("1 h", None),
            ("1w", None),
            ("1é", None),
            ("36526d", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(Lifetime::try_from(text.to_owned()).ok().map(Lifetime::as_secs), seconds, "{text}");
        }
    }

    #[test]
    fn a_span_of_time_is_written_back_in_its_largest_unit() {
        for text in ["0s", "61s", "15m", "25h", "2d"] {
            assert_eq!(Lifetime::try_from(text.to_owned()).unwrap().to_string(), text);
        }
    }
}
