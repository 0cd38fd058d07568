//! Checks that numbers and durations consist of digits. The YAML reader also accepts `0x10`, `1_0` and `+5`,
//! refuses `010`, and its messages contain `10.0`, which is not in the file.

use values::Lifetime;
use zeroize::Zeroizing;

use super::diagnostic::{Diagnostic, ExplainedError};
use super::source::SourceFile;
use super::source_map::{EntryText, KeyPath, NumberPlace};

/// The text in a form that the YAML reader accepts, and the errors of invalid numbers.
pub(crate) struct Numbers {
    pub(crate) text: Zeroizing<String>,
    pub(crate) faults: Vec<Diagnostic>,
    pub(crate) left_out: Vec<KeyPath>,
}

/// Checks the unquoted scalars where numbers are expected.
pub(crate) fn check(source: &SourceFile) -> Numbers {
    let mut numbers =
        Numbers { text: Zeroizing::new(source.text().to_owned()), faults: Vec::new(), left_out: Vec::new() };
    if !may_be_misread(source.text()) {
        return numbers;
    }
    let source_map = source.source_map();
    for (path, bytes, place) in source_map.numbers() {
        let scalar = &source.text()[bytes.clone()];
        if !begins_as_number(scalar) {
            continue;
        }
        if are_digits(scalar) {
            // The reader accepts spaces before a number, but no zeros.
            let zeros = scalar.len() - scalar.trim_start_matches('0').len().max(1);
            numbers.text.replace_range(bytes.start..bytes.start + zeros, &" ".repeat(zeros));
            continue;
        }
        let (problem, hint) = match place {
            NumberPlace::Integer => (
                "this is not a whole number in the allowed range".to_owned(),
                "use a number such as 10".to_owned(),
            ),
            NumberPlace::Span => match scalar.parse::<Lifetime>() {
                Ok(_) => continue,
                Err(error) => {
                    let message = error.to_string();
                    let (problem, hint) = message.rsplit_once("; ").unwrap_or((&message, ""));
                    let problem =
                        if source_map.quotes(&path) { problem } else { "this is not a valid duration" };
                    (problem.to_owned(), hint.to_owned())
                }
            },
        };
        numbers.faults.push(source.diagnostic_at(bytes.start, &path, ExplainedError::new(problem, hint)));
        if let Some(EntryText { path, bytes }) = source_map.entry_at(source.text(), bytes.start) {
            // There is no other number in this entry. The replacement has the same length, so all positions
            // stay valid.
            let blank = blanks(&numbers.text[bytes.clone()]);
            numbers.text.replace_range(bytes, &blank);
            numbers.left_out.push(path);
        }
    }
    numbers
}

/// Whether a word may be a number that the reader reads differently. Only then are the positions looked up,
/// which takes longer.
fn may_be_misread(text: &str) -> bool {
    let mut words = text.split(|character: char| character.is_whitespace() || ",[]{}".contains(character));
    words.any(|word| {
        let is_number = are_digits(word) && (word == "0" || !word.starts_with('0'));
        begins_as_number(word) && !is_number && word.parse::<Lifetime>().is_err()
            || are_digits(word) && word.len() > 1 && word.starts_with('0')
    })
}

fn begins_as_number(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
}

fn are_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Replaces each character by a space. Keeps line breaks.
pub(crate) fn blanks(stretch: &str) -> String {
    stretch.chars().map(|character| if character == '\n' { '\n' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use administration::documents::FileSecret;

    use super::super::document::Document;
    use super::super::recovery;
    use super::*;

    fn read(text: &str) -> (Option<Document>, Vec<String>) {
        let source = SourceFile::new(PathBuf::from("c"), FileSecret::new(text.to_owned()));
        let recovered = recovery::parse::<Document>(&source);
        (recovered.value, recovered.faults.iter().map(Diagnostic::brief).collect())
    }

    // Without this code, a lifetime of `010` was refused as `10.0`, `.5` as `0.5`, and `0x10` meant 16
    // seconds.
    #[test]
    fn only_plain_digits_are_a_number() {
        for (text, expected) in [("010", 10), ("08", 8), ("16", 16)] {
            for file in [
                format!(
                    "tenants: {{ é: {{ access_token: {{ lifetime: {text} }} }} }}\nlimits: {{ live_secrets: {text} }}"
                ),
                format!(
                    "tenants:\n  é:\n    access_token:\n      lifetime: {text}\nlimits:\n  live_secrets: {text}\n"
                ),
            ] {
                let (document, faults) = read(&file);
                assert_eq!(faults, [""; 0], "{file}");
                let document = document.unwrap();
                assert_eq!(document.tenants["é"].access_token.lifetime.seconds(), expected);
            }
        }
        let (document, faults) = read("tenants: { acme: { access_token: { lifetime: 00 } } }");
        assert_eq!(faults, [""; 0]);
        assert_eq!(document.unwrap().tenants["acme"].access_token.lifetime.seconds(), 0);
        for text in ["0x10", "0o17", "0b1", "1_0", "+5", "-5", ".5", "1.0", "1e3", "-0", "+.inf", "1:30"] {
            for (file, at) in [
                (format!("tenants:\n  acme:\n    access_token:\n      lifetime: {text}\n"), "c:4:17"),
                (format!("tenants: {{ acme: {{ access_token: {{ lifetime: {text} }} }} }}\n"), "c:1:46"),
            ] {
                let (_, faults) = read(&file);
                let expected = format!(
                    "{at}: tenants.acme.access_token.lifetime: `{text}` is not a duration; use an integer followed by s, m, h or d, such as 90s, 15m, 1h or 30d"
                );
                assert_eq!(faults, [expected]);
            }
            let (_, faults) = read(&format!("limits: {{ live_secrets: {text} }}"));
            assert_eq!(
                faults,
                [
                    "c:1:25: limits.live_secrets: this is not a whole number in the allowed range; use a number such as 10"
                ]
            );
        }
    }

    #[test]
    fn text_that_begins_as_a_number_stays_text() {
        let (document, faults) = read(
            "tenants: { acme: { name: 010, clients: { 007: { scopes: [0x10, +5], client_secret: { value: 0123 } } } } }",
        );
        assert_eq!(faults, [""; 0]);
        let tenant = &document.unwrap().tenants["acme"];
        assert_eq!(tenant.name.as_deref(), Some("010"));
        assert_eq!(tenant.clients["007"].scopes, ["0x10", "+5"]);
    }
}
