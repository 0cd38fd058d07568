//! Values in a list of facts or in a table.

use values::Timestamp;

use super::Badge;
use crate::page::Link;

#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    /// A text that is English in every language. Code is between back-quotes.
    English(String),
    /// Breaks at any character if it is too long.
    Code(String),
    /// A code with a button that copies it.
    Copied(String),
    Codes(Vec<String>),
    /// A code that people compare or type. Never breaks.
    ShortCode(String),
    /// A long identifier, shortened in the middle if there is no room for it.
    Id(String),
    /// A row by its name, with its ID below.
    Named(Link, String),
    Changes(Vec<Change>),
    Number(u64),
    Time(MomentValue),
    Link(Link),
    Badge(Badge),
}

#[derive(Clone, Debug)]
pub struct Fact {
    pub label: &'static str,
    pub value: Value,
}

/// A changed field. The values are empty if they are unknown.
#[derive(Clone, Debug)]
pub struct Change {
    pub field: String,
    pub before: String,
    pub after: String,
}

/// An instant. A script converts it to the reader's time zone and adds how long ago it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MomentValue {
    instant: String,
}

impl MomentValue {
    /// RFC 3339 in UTC, such as `2026-11-22T02:40:15Z`.
    #[must_use]
    pub const fn utc(instant: String) -> Self {
        Self { instant }
    }

    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self::utc(Timestamp::from_seconds(seconds).to_rfc3339())
    }

    pub(crate) fn instant(&self) -> &str {
        &self.instant
    }

    /// To the minute, such as `2026-11-22 02:40 UTC`.
    #[must_use]
    pub fn text(&self) -> String {
        let (date, time) = self.instant.split_once('T').unwrap_or((&self.instant, ""));
        format!("{date} {} UTC", time.get(..5).unwrap_or_default())
    }
}

impl Value {
    /// The end of an identifier, which stays visible: at most six characters.
    pub(crate) fn ends(id: &str) -> (&str, &str) {
        let at = id.char_indices().rev().nth(5).map_or(0, |(at, _)| at);
        id.split_at(at)
    }

    /// With narrow spaces as thousands separators.
    pub(crate) fn grouped(number: &u64) -> String {
        let digits = number.to_string();
        let before =
            |at: usize| if at > 0 && (digits.len() - at).is_multiple_of(3) { "\u{202f}" } else { "" };
        digits.char_indices().flat_map(|(at, digit)| before(at).chars().chain([digit])).collect()
    }

    /// Tables align numbers at the right.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_by_narrow_spaces() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(Value::grouped(&number), text.replace(' ', "\u{202f}"));
        }
    }

    #[test]
    fn a_time_is_shown_to_the_minute() {
        for (instant, text) in [("2026-01-01T00:00:59Z", "2026-01-01 00:00 UTC"), ("x", "x  UTC")] {
            assert_eq!(MomentValue::utc(instant.to_owned()).text(), text);
        }
    }
}
