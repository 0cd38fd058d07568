//! Makes text of other people safe for a terminal: no character can move the cursor, change colours
//! or the direction of text, or start a new line.

use std::fmt::Write as _;

use crate::invisible_characters::bidi_control_in_name;

/// Returns one line. Replaces C0, DEL and C1 controls, direction controls, and the separators
/// U+2028 and U+2029.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|character| if steers(character) { '\u{fffd}' } else { character }).collect()
}

/// Like [`printable`], but keeps line feeds and tabs.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    let mut characters = text.chars().peekable();
    let mut printed = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        let ends_line = character == '\r' && characters.peek() == Some(&'\n');
        let is_kept = ends_line || matches!(character, '\n' | '\t') || !steers(character);
        printed.push(if is_kept { character } else { '\u{fffd}' });
    }
    printed
}

/// Escapes the same characters in a JSON document. The value of the document stays the same.
#[must_use]
pub fn json_for_terminals(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !steers(character) {
            escaped.push(character);
        } else {
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        }
    }
    escaped
}

fn steers(character: char) -> bool {
    let mut text = [0; 4];
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || bidi_control_in_name(character.encode_utf8(&mut text)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    // [third 10]: `audit verify` printed C1 and direction controls of a chain's name, and contacts,
    //   subjects of `federated` and names of claims could have the latter | fixed | One function prints texts
    //   of others, and JSON has escapes in their place; new contacts, subjects and names of claims have no
    //   direction controls, and existing ones stay valid. Bodies that `call` prints are as the API sent them
    #[test]
    fn terminal_control_characters_are_replaced() {
        let controls = (0..=0x9f).filter_map(char::from_u32).filter(|character| character.is_control());
        let directions = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'];
        for steering in controls.chain(directions).chain(['\u{2028}', '\u{2029}']) {
            let text = format!("a{steering}b");
            assert_eq!(printable(&text), "a\u{fffd}b", "{steering:?}");
            let json = serde_json::to_string(&text).unwrap();
            let escaped = json_for_terminals(&json);
            assert!(!escaped.contains(steering), "{escaped:?}");
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
        let seen = "\u{fc}ber \u{5e9}\u{5dc}\u{5d5}\u{5dd} a\u{200d}b";
        assert_eq!((printable(seen), json_for_terminals(seen)), (seen.to_owned(), seen.to_owned()));
        assert_eq!(printable_lines("a\tb\r\n\u{1b}[2J\rc\n"), "a\tb\r\n\u{fffd}[2J\u{fffd}c\n");
    }
}
