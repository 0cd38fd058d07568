//! Instants in UTC (RFC 3339).

use schemars::JsonSchema;
use serde::Deserialize;

use super::cropped;

/// An instant in UTC, written `2027-01-31T12:00:00Z` (RFC 3339), or `2027-01-31` for the start of that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$"))]
pub(crate) struct Instant(u64);

impl Instant {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) const fn as_unix(self) -> u64 {
        self.0
    }
}

impl TryFrom<String> for Instant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_instant(&text).map(Self).ok_or_else(|| {
            format!(
                "`{}` is not an instant in UTC; write it as 2027-01-31T12:00:00Z, or 2027-01-31",
                cropped(&text)
            )
        })
    }
}

fn parse_instant(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if year < 1970 || day == 0 || day > length || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let months: u64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    Some((years + months + day - 1) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_utc() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("2027-01-31T12:00:01Z", Some(1_801_396_801)),
            ("2000-02-29", Some(951_782_400)),
            ("2024-12-31T23:59:59Z", Some(1_735_689_599)),
            ("2026-02-29", None),
            ("2027-01-31T12:00:00+01:00", None),
            ("2027-13-01", None),
            ("2027-1-1", None),
            ("1969-12-31", None),
            ("tomorrow", None),
        ] {
            assert_eq!(Instant::try_from(text.to_owned()).ok().map(Instant::as_unix), seconds, "{text}");
        }
    }
}
