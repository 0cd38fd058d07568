//! An email address as an identifier. All spellings of an address have the same text: the local part in
//! normalization form C and lower case, the domain in ASCII (UTS 46). Dots and `+` tags stay, because only
//! the provider of the domain knows their meaning.

use std::sync::Arc;

use derive_more::Display;
use unicode_normalization::UnicodeNormalization as _;
use values::{AsStr, invisible_in_id};

use crate::InvalidIdentifier;

/// The maximum length of an address in bytes (RFC 5321 §4.5.3.1.3, without brackets), and of its local part
/// (§4.5.3.1.1).
const LONGEST: usize = 254;
const LONGEST_LOCAL_PART: usize = 64;
/// The ASCII characters that are allowed in an unquoted local part, in addition to letters and digits
/// (`atext` of RFC 5322 §3.2.3, and the dot).
const SPECIAL: &[u8] = b"!#$%&'*+-/=?^_`{|}~.";

/// A normalized address.
#[derive(AsStr, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        // Texts that are too long are not normalized.
        let parts = text.split_once('@').filter(|_| text.len() <= 4 * LONGEST);
        let (local, domain) = parts.ok_or(InvalidIdentifier::Email)?;
        let lower: String = local.nfc().collect::<String>().to_lowercase().nfc().collect();
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidIdentifier::Email)?;
        let address = format!("{lower}@{domain}");
        let fits = is_local_part(&lower) && !domain.is_empty() && address.len() <= LONGEST;
        if fits { Ok(Self(address.into())) } else { Err(InvalidIdentifier::Email) }
    }
}

fn is_local_part(text: &str) -> bool {
    let fits = |character: char| match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => byte.is_ascii_alphanumeric() || SPECIAL.contains(&byte),
        _ => !character.is_control() && !character.is_whitespace(),
    };
    (1..=LONGEST_LOCAL_PART).contains(&text.len())
        && text.chars().all(fits)
        && invisible_in_id(text).is_none()
        && text.split('.').all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_normalise_to_one_address() {
        for (text, expected) in [
            ("ada@example.com", "ada@example.com"),
            ("Ada.Lovelace@Example.COM", "ada.lovelace@example.com"),
            ("a+b@example.com", "a+b@example.com"),
            ("a.b@example.com", "a.b@example.com"),
            ("o'neil@localhost", "o'neil@localhost"),
            ("ada@b\u{fc}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@B\u{dc}CHER.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("J\u{dc}RGEN@example.com", "j\u{fc}rgen@example.com"),
            ("ju\u{308}rgen@example.com", "j\u{fc}rgen@example.com"),
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn invalid_addresses_are_refused() {
        let (long, longer) = ("a".repeat(65), "a".repeat(5_000));
        let bad = "ada @example.com ada@ ada@@example.com a@b@example.com .ada@example.com ada.@example.com \
            a..b@example.com \"ada\"@example.com ada(x)@example.com ada@[192.0.2.1] ada@example..com ada@-example.com \
            ada@exam_ple.com ada@example.com. ada\0@example.com ada\u{200b}@example.com ada\u{202e}@example.com";
        let with_blanks = ["", "ada @example.com", "ada@exa mple.com", "ada\u{a0}x@example.com"];
        let ends = [format!("{long}@example.com"), format!("{longer}@example.com")];
        let domains = [format!("a@{}.com", "b".repeat(64)), format!("a@{longer}.com")];
        let long = ends.iter().chain(&domains).map(String::as_str);
        for bad in bad.split(' ').chain(with_blanks).chain(long) {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidIdentifier::Email), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(local in "\\PC{1,20}", domain in "[a-zA-Z\u{c0}-\u{24f}]{1,10}\\.[a-z]{2,5}") {
            if let Ok(address) = EmailAddress::parse(&format!("{local}@{domain}")) {
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
            }
        }
    }
}
