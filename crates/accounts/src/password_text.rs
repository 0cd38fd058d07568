//! Passwords in normalization form C (NIST SP 800-63B-4 §3.1.1.2), so that two keyboards that compose a
//! letter differently produce the same password. The whole password counts; it is never cut.

use secrets::is_fit_secret;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use values::Secret;

/// The maximum growth of a text by normalization to form C, as a factor (UAX 15 §12).
const EXPANSION: usize = 3;

/// The password in form C. `None` if it is empty, too long or contains control characters.
#[must_use]
pub fn normalised_password(password: Secret) -> Option<Secret> {
    let text = password.expose();
    if !is_fit_secret(text) {
        return None;
    }
    let normalised = if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        password
    } else {
        // Enough capacity for the whole result, so that no reallocation leaves a copy in memory.
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
    fn passwords_are_normalised_to_form_c() {
        for (text, expected) in [
            ("correct horse", Some("correct horse")),
            (" spaces stay ", Some(" spaces stay ")),
            ("u\u{308}ber", Some("\u{fc}ber")),
            ("\u{fc}ber", Some("\u{fc}ber")),
            ("\u{1112}\u{1161}\u{11ab}", Some("\u{d55c}")),
            // Form C does not change compatibility characters.
            ("\u{fb01}sh", Some("\u{fb01}sh")),
            ("", None),
            ("a\0b", None),
        ] {
            assert_eq!(normalised(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(normalised(&"a".repeat(1_024)).map(|text| text.len()), Some(1_024));
        assert_eq!(normalised(&"a".repeat(1_025)), None);
        // U+1D160 has 4 bytes, and 12 in form C.
        assert_eq!(normalised(&"\u{1d160}".repeat(200)), None);
    }

    // [attacks #34]
    #[test]
    fn every_byte_of_a_password_counts() {
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
        fn form_c_stays_within_the_expansion_bound(text in ".{0,100}") {
            let form_c: String = text.nfc().collect();
            prop_assert!(form_c.len() <= EXPANSION * text.len());
        }
    }
}
