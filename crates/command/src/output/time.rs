//! Instants as people read them.

use values::Timestamp;

/// To the minute, such as `2027-01-31 12:00 UTC`.
pub(crate) fn readable(at: Timestamp) -> String {
    format!("{} UTC", &to_the_second(at)[..16])
}

/// The instant in the member of a document. Records of events are shown to the second.
pub(super) fn readable_member(name: &str, text: &str) -> String {
    match Timestamp::parse_rfc3339(text) {
        Some(at) if name == "at" => format!("{} UTC", to_the_second(at)),
        Some(at) => readable(at),
        None => text.to_owned(),
    }
}

fn to_the_second(at: Timestamp) -> String {
    at.to_rfc3339()[..19].replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_readable_and_other_texts_unchanged() {
        let at = "2027-01-31T12:00:59Z";
        for (name, text, expected) in [
            ("at", at, "2027-01-31 12:00:59 UTC"),
            ("created_at", at, "2027-01-31 12:00 UTC"),
            ("created_at", "never", "never"),
        ] {
            assert_eq!(readable_member(name, text), expected, "{name} {text}");
        }
    }
}
