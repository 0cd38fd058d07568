//! Values as people read them, in a list of facts or in a table.

use super::Badge;
use crate::page::Link;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text.
    Text(String),
    /// An identifier, which may break where it does not fit.
    Code(String),
    /// Several of them.
    Codes(Vec<String>),
    /// A code that people compare or type. It never breaks.
    ShortCode(String),
    /// A count.
    Number(u64),
    /// An instant.
    Time(Moment),
    /// A way to another page.
    Link(Link),
    /// A status.
    Badge(Badge),
}

/// A value with what it is.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// The value.
    pub value: Value,
}

/// An instant. A script shows it in the time of the reader, and how long ago it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    instant: String,
}

impl Moment {
    /// From a text of RFC 3339 in UTC, such as `2026-11-22T02:40:15Z`.
    #[must_use]
    pub const fn utc(instant: String) -> Self {
        Self { instant }
    }

    /// From Unix seconds. Beyond the year 9999 it is the end of that year.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        let seconds = seconds.min(LAST_SECOND);
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        Self::utc(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
    }

    pub(crate) fn instant(&self) -> &str {
        &self.instant
    }

    /// To the minute, such as `2026-11-22 02:40 UTC`.
    pub(crate) fn text(&self) -> String {
        let (date, time) = self.instant.split_once('T').unwrap_or((&self.instant, ""));
        format!("{date} {} UTC", time.get(..5).unwrap_or_default())
    }
}

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// Year, month and day, so many days after 1970-01-01. It counts years from March, so that a leap day is the last
/// day of one, and in periods of 400 years, which all have the same number of days.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (period, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day + year / 100 - year / 4 - 365 * year;
    let month = (5 * day + 2) / 153;
    let is_next_year = month >= 10;
    let day = day - (153 * month + 2) / 5 + 1;
    (400 * period + year + is_next_year as u64, if is_next_year { month - 9 } else { month + 3 }, day)
}

impl Value {
    /// A number with narrow blanks between its thousands.
    pub(crate) fn grouped(number: &u64) -> String {
        let digits = number.to_string();
        let before =
            |at: usize| if at > 0 && (digits.len() - at).is_multiple_of(3) { "\u{202f}" } else { "" };
        digits.char_indices().flat_map(|(at, digit)| before(at).chars().chain([digit])).collect()
    }

    /// Whether it is one of the numbers, which are compared by their ends.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(Value::grouped(&number), text.replace(' ', "\u{202f}"));
        }
    }

    #[test]
    fn a_time_is_shown_to_the_minute() {
        for (instant, text) in [("2026-01-01T00:00:59Z", "2026-01-01 00:00 UTC"), ("x", "x  UTC")] {
            assert_eq!(Moment::utc(instant.to_owned()).text(), text);
        }
    }

    #[test]
    fn unix_seconds_are_a_date_and_a_time() {
        for (seconds, instant) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_315_200, "2026-11-22T02:40:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST_SECOND, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment::at(seconds).instant(), instant, "{seconds}");
        }
    }
}
