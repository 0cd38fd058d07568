//! A time on a page.

use protocol::Timestamp;

/// A time for people, such as `2026-11-22 02:40 UTC`.
pub(super) fn minute(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", time.get(..5).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_to_the_minute() {
        assert_eq!(minute(Timestamp::from_seconds(1_767_225_659)), "2026-01-01 00:00 UTC");
    }
}
