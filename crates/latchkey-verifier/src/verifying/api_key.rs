//! The shapes of the opaque tokens that Latchkey gives to callers. An API key is `lkk_`, a name of 12
//! characters, `_`, 43 random characters, and a checksum of 6; the tenant's brand may precede it. An opaque
//! access token is `lk_at_` and, in base64url, 33 bytes and a multiple of 64 bytes.

/// The characters from `lkk_` to the end.
const LENGTH: usize = 66;
const LONGEST_BRAND: usize = 20;
/// The digits of base 62.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM: usize = 6;

/// Whether the text has the shape of an API key, and ends with the checksum of all characters before it.
pub(crate) fn is_api_key(text: &str) -> bool {
    let parts = text.len().checked_sub(LENGTH).and_then(|at| text.split_at_checked(at));
    let Some((brand, key)) = parts else { return false };
    let Some((name, rest)) = key.strip_prefix("lkk_").and_then(|rest| rest.split_once('_')) else {
        return false;
    };
    let is_text = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.len() == 12 && is_text(name) && is_text(rest) && is_before_key(brand) && has_checksum(text)
}

/// Whether the text has the shape of an opaque access token. Only its issuer can tell more.
pub(crate) fn is_opaque_access_token(text: &str) -> bool {
    let Some(bytes) = text.strip_prefix("lk_at_") else { return false };
    let is_encoded = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_whole = (bytes.len() * 3 / 4).checked_sub(33).is_some_and(|claims| claims > 0 && claims % 64 == 0);
    is_whole && bytes.bytes().all(is_encoded)
}

/// Nothing, or a brand and a `_`.
fn is_before_key(text: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let is_brand = |brand: &str| (1..=LONGEST_BRAND).contains(&brand.len()) && brand.bytes().all(is_allowed);
    text.is_empty() || text.strip_suffix('_').is_some_and(is_brand)
}

/// CRC-32 (ISO-HDLC) in base 62, with leading zeros.
fn has_checksum(text: &str) -> bool {
    let (checked, sum) = text.as_bytes().split_at(text.len() - CHECKSUM);
    let mut rest = !checked.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    sum.iter().rev().all(|digit| {
        let expected = DIGITS[(rest % 62) as usize];
        rest /= 62;
        *digit == expected
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_access_token_needs_its_length_and_letters() {
        let token = |length: usize| format!("lk_at_{}", "Aa0-_".repeat(length).split_at(length).0);
        for (text, expected) in [
            (token(130), true),
            (token(386), true),
            (token(129), false),
            (token(131), false),
            (token(44), false),
            (token(386).replace('-', "."), false),
            (token(386)[1..].to_owned(), false),
        ] {
            assert_eq!(is_opaque_access_token(&text), expected, "{} {text}", text.len());
        }
    }

    #[test]
    fn api_key_needs_its_format_and_checksum() {
        let (name, random) = ("4fT9xQ2bV7mK", "7".repeat(43));
        let plain = format!("lkk_{name}_{random}4UpcIs");
        let branded = format!("globex_live_lkk_{name}_{random}0Uj5rZ");
        for (text, expected) in [
            (plain.as_str(), true),
            (&branded, true),
            // The checksum does not include this brand.
            (&format!("globex_live_{plain}"), false),
            (&branded["globex_live_".len()..], false),
            (&format!("Globex_{plain}"), false),
            (&format!("_{plain}"), false),
            (&format!("{plain}0"), false),
            (&plain[..plain.len() - 1], false),
            (&plain.replace("777", "778"), false),
            (&format!("lkk_{name}7{random}4UpcIs"), false),
            (&format!("lk_rt_{name}_{random}"), false),
            ("", false),
            (&"\u{e9}".repeat(33), false),
        ] {
            assert_eq!(is_api_key(text), expected, "{text}");
        }
    }
}
