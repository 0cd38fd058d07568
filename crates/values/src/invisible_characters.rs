//! Invisible characters. An identifier with an invisible character looks like another identifier,
//! and some of these characters change the order in which a name is displayed (Unicode Technical
//! Standard 39 §3.1, Unicode Standard Annex 9 §2).

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// The first character that a new identifier must not contain: a format character (Cf), a line
/// separator (Zl) or a paragraph separator (Zp).
#[must_use]
pub fn invisible_in_id(id: &str) -> Option<char> {
    let is_invisible = |character: &char| {
        matches!(
            character.general_category(),
            GeneralCategory::Format | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator
        )
    };
    id.chars().find(is_invisible)
}

/// The first character that a new name must not contain: a character that changes the direction of
/// text (`Bidi_Control`). Names may contain other invisible characters, such as joiners, because
/// some languages need them.
#[must_use]
pub fn bidi_control_in_name(name: &str) -> Option<char> {
    let turns = |character: &char| {
        matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
    };
    name.chars().find(turns)
}

/// Two names that look the same to a reader who ignores case and blanks have the same folded form.
/// Folds the case and removes invisible characters.
#[must_use]
pub fn folded(name: &str) -> String {
    let is_unseen = |character: &char| {
        // Unicode classifies these fillers and selectors as letters and marks.
        let is_filler = matches!(
            character,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}'
        );
        let category = character.general_category();
        character.is_whitespace()
            || is_filler
            || matches!(category, GeneralCategory::Control | GeneralCategory::Format)
    };
    name.chars()
        .filter(|character| !is_unseen(character))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // [found 26]: Ids and names could contain characters that are invisible or change the direction of
    //   writing; an audit subject `svc/s1` was ambiguous | fixed | New ids contain no format or separator
    //   characters (Cf, Zl, Zp), new names no bidi controls; existing rows stay valid. Audit records of
    //   secrets name client and secret separately. Not checked: user names in `admin.users`, which are in no
    //   store
    #[test]
    fn invisible_characters_and_bidi_controls_are_found() {
        let check = |text: &str, in_id, in_name| {
            assert_eq!((invisible_in_id(text), bidi_control_in_name(text)), (in_id, in_name), "{text:?}");
        };
        for seen in
            ["billing", "\u{fc}ber-\u{4e2d}\u{6587} \u{5e9}\u{5dc}\u{5d5}\u{5dd}", "a\u{a0}b\u{2003}c"]
        {
            check(seen, None, None);
        }
        for unseen in ['\u{200b}', '\u{ad}', '\u{feff}', '\u{200d}', '\u{e0041}', '\u{2028}', '\u{2029}'] {
            for text in [format!("{unseen}bom"), format!("bil{unseen}ling"), format!("line{unseen}")] {
                check(&text, Some(unseen), None);
            }
        }
        for control in ['\u{202e}', '\u{2066}', '\u{200f}', '\u{61c}'] {
            check(&format!("turn{control}gnillib"), Some(control), Some(control));
            check(&format!("turn{control}"), Some(control), Some(control));
        }
    }
}
