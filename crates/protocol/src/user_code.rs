//! The code that a person types into a browser to connect a device (RFC 8628 §6.1).

use std::fmt;

/// Only consonants, so that the code never spells a word, and none that look alike.
const LETTERS: [u8; 20] = *b"BCDFGHJKLMNPQRSTVWXZ";
/// 8 letters are 34.5 bits.
const LENGTH: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserCode([u8; LENGTH]);

impl UserCode {
    /// `None` if too few bytes are usable: the function skips bytes so that all letters are equally
    /// likely.
    #[must_use]
    pub fn from_random(bytes: &[u8]) -> Option<Self> {
        let most = u8::MAX - u8::MAX % 20;
        let mut letters =
            bytes.iter().filter(|byte| **byte < most).map(|byte| LETTERS[usize::from(byte % 20)]);
        let mut code = [0; LENGTH];
        for letter in &mut code {
            *letter = letters.next()?;
        }
        Some(Self(code))
    }

    /// Ignores case and all characters that are not letters, as RFC 8628 §6.1 recommends.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut letters =
            text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase());
        let mut code = [0; LENGTH];
        for letter in &mut code {
            *letter = u8::try_from(letters.next()?).ok().filter(|typed| LETTERS.contains(typed))?;
        }
        letters.next().is_none().then_some(Self(code))
    }

    /// Without the hyphen.
    #[must_use]
    pub const fn letters(&self) -> &[u8] {
        &self.0
    }
}

/// Displays `WDJB-MJHT`.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = self.0.split_at(LENGTH / 2);
        write!(f, "{}-{}", first.escape_ascii(), last.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [devices §6.1]: Case and punctuation of a user code do not matter
    #[test]
    fn code_is_read_regardless_of_case_and_punctuation() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        assert_eq!((code.to_string(), code.letters()), ("WDJB-MJHT".to_owned(), b"WDJBMJHT".as_slice()));
        for typed in ["wdjbmjht", "WDJB MJHT", " wdjb - mjht. ", "wd-jb-mj-ht"] {
            assert_eq!(UserCode::parse(typed), Some(code), "{typed}");
        }
        for other in ["", "WDJB-MJH", "WDJB-MJHTT", "WDJB-MJHA", "WDJB-MJH1", "1WDJB-MJHT"] {
            assert_eq!(UserCode::parse(other), None, "{other}");
        }
    }

    // [devices §5.1]
    #[test]
    fn all_letters_are_equally_likely() {
        let mut counts = [0; 20];
        for byte in 0..=u8::MAX {
            if let Some(code) = UserCode::from_random(&[byte; 8]) {
                counts[LETTERS.iter().position(|letter| *letter == code.letters()[0]).unwrap()] += 1;
            }
        }
        assert_eq!(counts, [12; 20]);
        assert_eq!(UserCode::from_random(&[0; 7]), None);
        assert_eq!(UserCode::from_random(&[255; 64]), None);
    }
}
