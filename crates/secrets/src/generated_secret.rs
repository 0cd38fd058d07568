//! Generated secrets: `lk_`, up to 12 characters of the tenant's id and `_`, 32 random bytes as 43 base62
//! characters, and the CRC-32 of everything before as 6 more. Earlier secrets have no tenant. API keys have a
//! public name: `lkk_`, 12 characters, `_`, and the same 49 characters.
//!
//! Leak scanners can find them with `\blk_(?:[a-z0-9]{1,12}_)?[0-9A-Za-z]{49}\b` and
//! `\b(?:[a-z0-9_]{1,20}_)?lkk_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b`, and exclude false positives by the
//! checksum. The format also decides the cost of a check: for 256 random bits one HMAC is enough.

use aws_lc_rs::digest::{SHA256, digest};
use protocol::api_key_name;
use tenancy::TenantId;
use values::Secret;
use zeroize::Zeroizing;

use crate::random::random_bytes;

const PREFIX: &str = "lk_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY: usize = 43;
const CHECKSUM: usize = 6;
/// The maximum number of characters of a tenant's id in a secret.
const TENANT: usize = 12;

/// A new secret, which is shown once.
#[derive(Debug)]
pub struct GeneratedSecret {
    pub secret: Secret,
    /// The last four characters, which help people to distinguish secrets.
    pub hint: String,
}

impl GeneratedSecret {
    /// Generates a secret that contains the tenant's id, which helps people who find a leaked secret.
    #[must_use]
    pub fn from_tenant(tenant: &TenantId) -> Self {
        let named: String =
            tenant.as_str().chars().filter(|character| *character != '-').take(TENANT).collect();
        let (secret, hint) = complete(format!("{PREFIX}{named}_"), &random_bytes());
        Self { secret, hint }
    }

    /// Generates a secret without a tenant.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_bytes(&random_bytes())
    }

    /// `bytes` must be random.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (secret, hint) = complete(PREFIX.to_owned(), bytes);
        Self { secret, hint }
    }

    /// Whether the text has the format and the checksum of a generated secret.
    #[must_use]
    pub fn is_well_formed(text: &str) -> bool {
        let Some(rest) = text.strip_prefix(PREFIX) else { return false };
        let (tenant, body) = rest.split_once('_').unwrap_or(("0", rest));
        let is_tenant = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        body.len() == BODY + CHECKSUM
            && (1..=TENANT).contains(&tenant.len())
            && tenant.bytes().all(is_tenant)
            && body.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && has_checksum(text)
    }

    /// The last four characters of a generated secret.
    #[must_use]
    pub fn hint(text: &str) -> &str {
        &text[text.len() - 4..]
    }

    /// The first 16 hexadecimal digits of the SHA-256 of a generated secret, so that people can compare their
    /// secret with the registered one. Reveals nothing about 256 random bits. `None` for a chosen secret,
    /// which could be guessed from it.
    #[must_use]
    pub fn fingerprint(text: &str) -> Option<String> {
        let hash = || digest(&SHA256, text.as_bytes());
        Self::is_well_formed(text)
            .then(|| hash().as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A new API key, which is shown once.
#[derive(Debug)]
pub struct GeneratedApiKey {
    /// The public name: 12 characters of the key.
    pub name: String,
    pub key: Secret,
    /// The last four characters.
    pub hint: String,
}

impl GeneratedApiKey {
    /// Generates a key that starts with the brand, if there is one.
    ///
    /// # Panics
    /// If the brand is invalid.
    #[must_use]
    pub fn generate(brand: Option<&str>) -> Self {
        // Uses the last 12 of 22 digits, so that all 62^12 names are equally likely up to 2^-56.
        let name: [u8; 12] = base62(&random_bytes::<16>()[..]);
        let name = String::from_utf8(name.to_vec()).expect("base62 is ASCII");
        let brand = brand.map(|brand| format!("{brand}_")).unwrap_or_default();
        let (key, hint) = complete(format!("{brand}lkk_{name}_"), &random_bytes());
        assert_eq!(api_key_name(key.expose()), Some(name.as_str()), "the brand of a tenant is checked");
        Self { name, key, hint }
    }
}

/// Appends random bytes and the checksum of everything before. Also returns the last four characters.
fn complete(start: String, bytes: &[u8; 32]) -> (Secret, String) {
    let length = start.len() + BODY + CHECKSUM;
    let mut text = Vec::with_capacity(length);
    text.extend_from_slice(start.as_bytes());
    text.extend_from_slice(Zeroizing::new(base62::<BODY>(bytes)).as_slice());
    let checksum = checksum(&text);
    text.extend_from_slice(&checksum);
    // The buffer itself becomes the secret, so no copy stays in memory.
    let text = String::from_utf8(text).expect("base62 is ASCII");
    let hint = text[length - 4..].to_owned();
    (Secret::new(text), hint)
}

/// Whether the text ends with the checksum of the part before it.
#[must_use]
pub fn has_checksum(text: &str) -> bool {
    let parts = text.len().checked_sub(CHECKSUM).and_then(|at| text.as_bytes().split_at_checked(at));
    parts.is_some_and(|(checked, sum)| checksum(checked) == sum)
}

fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    base62(&crc32fast::hash(text).to_be_bytes())
}

/// Converts a big-endian number to base 62 with leading zeros. Secrets and checksums fit completely (62^43 >
/// 2^256 and 62^6 > 2^32). Of the number of a name, only the last digits remain.
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
    fn all_secrets_have_the_same_length() {
        assert_eq!(text(&[0; 32])[..46], format!("lk_{}", "0".repeat(43)));
        assert_eq!(&text(&[255; 32])[..46], "lk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        assert_eq!(text(&[0; 32]).len(), 52);
        assert_eq!(text(&[255; 32]).len(), 52);
    }

    // [V11 11.5.1]: 2 | Unguessable values have 128 random bits | Secrets have 256. `jti` and ids are UUIDs
    //   and not secrets
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
    fn secret_prefix_includes_the_tenant_id() {
        for (id, start) in [("a", "lk_a_"), ("acme-shop-eu1-blue", "lk_acmeshopeu1b_")] {
            let GeneratedSecret { secret, .. } = GeneratedSecret::from_tenant(&TenantId::parse(id).unwrap());
            let text = secret.expose();
            assert!(text.starts_with(start) && text.len() == start.len() + 49, "{text}");
            assert!(GeneratedSecret::is_well_formed(text));
            // The checksum covers the tenant.
            assert!(!GeneratedSecret::is_well_formed(&text.replacen("lk_a", "lk_b", 1)));
            assert!(!GeneratedSecret::is_well_formed(&text.replacen("lk_a", "lk_A", 1)));
            assert!(!GeneratedSecret::is_well_formed(&text.replacen(start, "lk__", 1)));
        }
    }

    #[test]
    fn only_generated_secrets_have_a_fingerprint() {
        assert_eq!(GeneratedSecret::fingerprint(&text(&[7; 32])).as_deref(), Some("3b59a56b2388b736"));
        assert_eq!(GeneratedSecret::fingerprint("your-client-secret"), None);
    }

    #[test]
    fn other_texts_are_not_well_formed() {
        let good = text(&[7; 32]);
        let other_prefix = good.replacen("lk_", "LK_", 1);
        let (longer, foreign) = (format!("{good}0"), "\u{e9}".repeat(26));
        for bad in ["", "lk_", "your-client-secret", &good[..51], &longer, &other_prefix, &foreign] {
            assert!(!GeneratedSecret::is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn api_key_has_name_brand_and_checksum() {
        for (brand, start) in [(None, "lkk_"), (Some("acme_live"), "acme_live_lkk_")] {
            let (one, other) = (GeneratedApiKey::generate(brand), GeneratedApiKey::generate(brand));
            let text = one.key.expose();
            let is_named = text.starts_with(&format!("{start}{}_", one.name));
            assert!(is_named && text.ends_with(&one.hint), "{text}");
            assert!(has_checksum(text) && !GeneratedSecret::is_well_formed(text));
            assert_ne!((one.name.as_str(), text), (other.name.as_str(), other.key.expose()));
            // The checksum covers the brand.
            assert!(!has_checksum(&format!("a{text}")) && !has_checksum(&text[1..]));
            assert!(!format!("{one:?}").contains(text));
        }
        assert!(!has_checksum("lkk_") && !has_checksum(&"\u{e9}".repeat(40)));
    }

    // [third 14]: The first character of an API key's public name was always 0 | fixed | All twelve
    //   characters are random
    #[test]
    fn every_character_of_a_key_name_is_random() {
        let names: Vec<_> = (0..64).map(|_| GeneratedApiKey::generate(None).name).collect();
        for at in 0..12 {
            let distinct: std::collections::BTreeSet<_> =
                names.iter().map(|name| name.as_bytes()[at]).collect();
            assert!(distinct.len() > 16, "{at}: {names:?}");
        }
    }

    proptest! {
        #[test]
        fn changed_character_makes_a_secret_malformed(
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

        // [V11 11.5.2]: 3 | The generator is sound under load | That of aws-lc-rs, initialised by the
        //   operating system, with a state for each thread; if it fails no token or secret is issued
        #[test]
        fn different_bytes_give_different_secrets(left: [u8; 32], right: [u8; 32]) {
            prop_assert_eq!(left == right, text(&left) == text(&right));
        }

        #[test]
        fn arbitrary_text_is_not_well_formed(text in ".{0,60}") {
            prop_assert!(!GeneratedSecret::is_well_formed(&text));
        }
    }
}
