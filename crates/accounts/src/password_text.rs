//! A password as people type it, in normalisation form C (NIST SP 800-63B-4 §3.1.1.2): two keyboards that
//! compose a letter differently type the same password. It is checked as a whole and never shortened.

use secrets::is_fit_secret;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use values::Secret;

/// The most bytes of a text in form C for each byte of the same text in another form (UAX 15 §12).
const EXPANSION: usize = 3;

/// The password in form C; `None` where it is empty, too long or has control characters.
#[must_use]
pub fn normalised_password(password: Secret) -> Option<Secret> {
    let text = password.expose();
    if !is_fit_secret(text) {
        return None;
    }
    let normalised = if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        password
    } else {
        // Room for all of it, so that no part stays behind in memory that was given back.
        let mut normalised = String::with_capacity(EXPANSION * text.len());
        normalised.extend(text.nfc());
        Secret::new(normalised)
    };
    Some(normalised).filter(|normalised| is_fit_secret(normalised.expose()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalised(text: &str) -> Option<String> {
        normalised_password(Secret::new(text.to_owned())).map(|secret| secret.expose().to_owned())
    }

    // [V6 6.2.8]
    #[test]
    fn two_ways_to_type_a_letter_are_one_password() {
        for (text, expected) in [
            ("correct horse", Some("correct horse")),
            (" spaces stay ", Some(" spaces stay ")),
            ("u\u{308}ber", Some("\u{fc}ber")),
            ("\u{fc}ber", Some("\u{fc}ber")),
            ("\u{1112}\u{1161}\u{11ab}", Some("\u{d55c}")),
            // Compatibility characters stay what they are.
            ("\u{fb01}sh", Some("\u{fb01}sh")),
            ("", None),
            ("a\0b", None),
        ] {
            assert_eq!(normalised(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(normalised(&"a".repeat(1_024)).map(|text| text.len()), Some(1_024));
        assert_eq!(normalised(&"a".repeat(1_025)), None);
        // U+1D160 takes 4 bytes and 12 in form C.
        assert_eq!(normalised(&"\u{1d160}".repeat(200)), None);
    }

    // [attacks #34]
    #[test]
    fn every_byte_of_a_password_counts_whatever_its_length() {
        let letters: String = ('!'..='~').cycle().take(1_024).collect();
        for length in 1..=letters.len() {
            let text = &letters[..length];
            assert_eq!(normalised(text).as_deref(), Some(text));
        }
        for at in 0..letters.len() {
            let other = if letters[at..].starts_with('x') { "y" } else { "x" };
            let changed = format!("{}{other}{}", &letters[..at], &letters[at + 1..]);
            assert_eq!(normalised(&changed), Some(changed.clone()), "byte {at}");
            assert_ne!(changed, letters);
        }
    }

    proptest! {
        #[test]
        fn no_text_outgrows_its_memory(text in ".{0,100}") {
            let form_c: String = text.nfc().collect();
            prop_assert!(form_c.len() <= EXPANSION * text.len());
        }
    }
}
