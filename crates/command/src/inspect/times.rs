//! Instants and durations as people read them.

use values::Timestamp;

/// A time, and how far it is from now.
pub(super) fn instant(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", at.to_rfc3339(), distance(at, now))
}

fn distance(at: Timestamp, now: Timestamp) -> String {
    let apart = span(at.seconds().abs_diff(now.seconds()));
    match at.cmp(&now) {
        std::cmp::Ordering::Less => format!("{apart} ago"),
        std::cmp::Ordering::Equal => "now".to_owned(),
        std::cmp::Ordering::Greater => format!("in {apart}"),
    }
}

/// The duration in its two largest units.
pub(super) fn span(seconds: u64) -> String {
    const UNITS: [(&str, u64); 5] = [("y", 31_557_600), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let largest = UNITS.iter().position(|(_, unit)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    let (name, unit) = UNITS[largest];
    let mut text = format!("{}{name}", seconds / unit);
    if let Some((name, smaller)) = UNITS.get(largest + 1) {
        let rest = seconds % unit / smaller;
        if rest > 0 {
            text.push_str(&format!(" {rest}{name}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_shows_its_two_largest_units() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (3600, "1h"),
            (3725, "1h 2m"),
            (90_000, "1d 1h"),
            (31_557_600, "1y"),
            (u64::MAX, "584542046090y 228d"),
        ] {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn instant_shows_the_distance_from_now() {
        let at = Timestamp::from_seconds;
        assert_eq!(instant(at(86_400), at(86_400 + 61)), "1970-01-02T00:00:00Z (1m 1s ago)");
        assert_eq!(instant(at(86_400), at(0)), "1970-01-02T00:00:00Z (in 1d)");
        assert_eq!(instant(at(86_400), at(86_400)), "1970-01-02T00:00:00Z (now)");
    }
}
