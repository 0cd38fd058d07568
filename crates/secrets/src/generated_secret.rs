//! Generated secrets: `lk_`, 32 random bytes as 43 base62 characters, and the CRC-32 of all before as 6 more. API keys have a public name
//! as well: `lkk_`, 12 characters, `_`, and the same 49.
//!
//! Leak scanners find them by `\blk_[0-9A-Za-z]{49}\b` and `\b(?:[a-z0-9_]{1,20}_)?lkk_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b` and exclude
//! false positives by the checksum. The shape also decides the cost of a check: for 256 random bits one HMAC is enough.

use protocol::{Secret, api_key_name};
use zeroize::Zeroizing;

use crate::random::random_bytes;

const PREFIX: &str = "lk_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY: usize = 43;
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + BODY + CHECKSUM;

/// A new secret, shown once.
#[derive(Debug)]
pub struct GeneratedSecret {
    /// The secret itself.
    pub secret: Secret,
    /// Its last four characters, which help people to distinguish secrets.
    pub hint: String,
}

impl GeneratedSecret {
    /// Draws a new secret.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_bytes(&random_bytes())
    }

    /// Creates a secret from these bytes, which must be random.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (secret, hint) = complete(PREFIX.to_owned(), bytes);
        Self { secret, hint }
    }

    /// Whether a text has the shape of a generated secret, checksum included.
    #[must_use]
    pub fn is_well_formed(text: &str) -> bool {
        text.len() == LENGTH
            && text.starts_with(PREFIX)
            && text.as_bytes()[PREFIX.len()..].iter().all(u8::is_ascii_alphanumeric)
            && has_checksum(text)
    }
}

/// A new API key, shown once.
#[derive(Debug)]
pub struct GeneratedApiKey {
    /// Its public name, the 12 characters in it.
    pub name: String,
    /// The key itself.
    pub key: Secret,
    /// Its last four characters.
    pub hint: String,
}

impl GeneratedApiKey {
    /// Draws a new key, with this brand before it.
    ///
    /// # Panics
    /// When the brand is none.
    #[must_use]
    pub fn generate(brand: Option<&str>) -> Self {
        // 2^64 names, of the 62^12 that 12 characters can have.
        let name: [u8; 12] = base62(&random_bytes::<8>()[..]);
        let name = String::from_utf8(name.to_vec()).expect("base62 is ASCII");
        let brand = brand.map(|brand| format!("{brand}_")).unwrap_or_default();
        let (key, hint) = complete(format!("{brand}lkk_{name}_"), &random_bytes());
        assert_eq!(api_key_name(key.expose()), Some(name.as_str()), "the brand of a tenant is checked");
        Self { name, key, hint }
    }
}

/// A text that ends with these random bytes and the checksum of all before, and its last four characters.
fn complete(start: String, bytes: &[u8; 32]) -> (Secret, String) {
    let length = start.len() + BODY + CHECKSUM;
    let mut text = Vec::with_capacity(length);
    text.extend_from_slice(start.as_bytes());
    text.extend_from_slice(Zeroizing::new(base62::<BODY>(bytes)).as_slice());
    let checksum = checksum(&text);
    text.extend_from_slice(&checksum);
    // The buffer itself becomes the secret: no unwiped copy stays behind.
    let text = String::from_utf8(text).expect("base62 is ASCII");
    let hint = text[length - 4..].to_owned();
    (Secret::new(text), hint)
}

/// Whether a text ends with the checksum of what stands before.
#[must_use]
pub fn has_checksum(text: &str) -> bool {
    let parts = text.len().checked_sub(CHECKSUM).and_then(|at| text.as_bytes().split_at_checked(at));
    parts.is_some_and(|(checked, sum)| checksum(checked) == sum)
}

fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    base62(&crc32fast::hash(text).to_be_bytes())
}

/// Encodes a big-endian number in base 62, with leading zeros up to the full width. It fits: 62^43 > 2^256 and 62^6 > 2^32.
fn base62<const WIDTH: usize>(number: &[u8]) -> [u8; WIDTH] {
    let mut rest = Zeroizing::new([0_u8; 32]);
    let rest = &mut rest[..number.len()];
    rest.copy_from_slice(number);
    let mut digits = [0; WIDTH];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in rest.iter_mut() {
            let value = remainder << 8 | u16::from(*byte);
            *byte = u8::try_from(value / 62).expect("the quotient of a remainder below 62 fits");
            remainder = value % 62;
        }
        *digit = ALPHABET[usize::from(remainder)];
    }
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8; 32]) -> String {
        GeneratedSecret::from_bytes(bytes).secret.expose().to_owned()
    }

    #[test]
    fn the_smallest_and_the_largest_have_the_same_width() {
        assert_eq!(text(&[0; 32])[..46], format!("lk_{}", "0".repeat(43)));
        assert_eq!(&text(&[255; 32])[..46], "lk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        assert_eq!(text(&[0; 32]).len(), 52);
        assert_eq!(text(&[255; 32]).len(), 52);
    }

    #[test]
    fn generated_secrets_differ_and_are_well_formed() {
        let (left, right) = (GeneratedSecret::generate(), GeneratedSecret::generate());
        assert_ne!(left.secret.expose(), right.secret.expose());
        assert!(GeneratedSecret::is_well_formed(left.secret.expose()));
        assert!(left.secret.expose().ends_with(&left.hint));
        assert_eq!(left.hint.len(), 4);
        assert!(!format!("{left:?}").contains(left.secret.expose()));
    }

    #[test]
    fn other_texts_are_not_well_formed() {
        let good = text(&[7; 32]);
        let other_prefix = good.replacen("lk_", "LK_", 1);
        let bad = [
            "",
            "lk_",
            "your-client-secret",
            &good[..51],
            &format!("{good}0"),
            &other_prefix,
            &"\u{e9}".repeat(26),
        ];
        for bad in bad {
            assert!(!GeneratedSecret::is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn an_api_key_has_its_name_its_brand_and_a_checksum() {
        for (brand, start) in [(None, "lkk_"), (Some("acme_live"), "acme_live_lkk_")] {
            let (one, other) = (GeneratedApiKey::generate(brand), GeneratedApiKey::generate(brand));
            let text = one.key.expose();
            assert!(
                text.starts_with(&format!("{start}{}_", one.name)) && text.ends_with(&one.hint),
                "{text}"
            );
            assert!(has_checksum(text) && !GeneratedSecret::is_well_formed(text));
            assert_ne!((one.name.as_str(), text), (other.name.as_str(), other.key.expose()));
            // The brand counts in the checksum.
            assert!(!has_checksum(&format!("a{text}")) && !has_checksum(&text[1..]));
            assert!(!format!("{one:?}").contains(text));
        }
        assert!(!has_checksum("lkk_") && !has_checksum(&"\u{e9}".repeat(40)));
    }

    proptest! {
        #[test]
        fn every_secret_is_well_formed_and_a_changed_character_shows(
            bytes: [u8; 32],
            at in 0_usize..52,
            to in proptest::char::range('0', 'z'),
        ) {
            let good = text(&bytes);
            prop_assert!(GeneratedSecret::is_well_formed(&good));
            let mut changed: Vec<char> = good.chars().collect();
            prop_assume!(changed[at] != to);
            changed[at] = to;
            prop_assert!(!GeneratedSecret::is_well_formed(&changed.into_iter().collect::<String>()));
        }

        #[test]
        fn different_bytes_are_different_secrets(left: [u8; 32], right: [u8; 32]) {
            prop_assert_eq!(left == right, text(&left) == text(&right));
        }

        #[test]
        fn any_text_can_be_checked(text in ".{0,60}") {
            prop_assert!(!GeneratedSecret::is_well_formed(&text));
        }
    }
}
