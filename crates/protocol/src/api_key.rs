//! The shape of an API key: an optional brand of the tenant with `_`, then `lkk_`, 12 characters
//! that name the key, `_`, and 49 more characters.
//!
//! This module decides by the shape alone whether a text is read as an API key. `secrets` verifies
//! the checksum and looks the key up.

/// The start of every key, after the brand.
const MARK: &str = "lkk_";
const NAME: usize = 12;
const REST: usize = 49;
/// Bytes of a key without a brand.
const LENGTH: usize = MARK.len() + NAME + 1 + REST;
pub const LONGEST_BRAND: usize = 20;

/// The 12 public characters that name the key. `None` if the text does not have the shape of a key.
#[must_use]
pub fn api_key_name(text: &str) -> Option<&str> {
    api_key_parts(text).map(|(_, name)| name)
}

/// The brand (which may be empty) and the name of a key. Both are public. `None` if the text does
/// not have the shape of a key.
#[must_use]
pub fn api_key_parts(text: &str) -> Option<(&str, &str)> {
    let (brand, key) = text.split_at_checked(text.len().checked_sub(LENGTH)?)?;
    let (name, rest) = key.strip_prefix(MARK)?.split_at_checked(NAME)?;
    let is_key = is_alphanumeric(name) && rest.strip_prefix('_').is_some_and(is_alphanumeric);
    let brand =
        if brand.is_empty() { Some("") } else { brand.strip_suffix('_').filter(|it| is_api_key_brand(it)) };
    brand.filter(|_| is_key).map(|brand| (brand, name))
}

/// Whether a tenant may use this text as the brand of its keys.
#[must_use]
pub fn is_api_key_brand(text: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    (1..=LONGEST_BRAND).contains(&text.len()) && text.bytes().all(is_allowed)
}

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_api_key_has_brand_and_name() {
        let rest = "7".repeat(REST);
        let name = "4fT9xQ2bV7mK";
        let key = format!("lkk_{name}_{rest}");
        for brand in ["acme_live", "lkk", &"a".repeat(LONGEST_BRAND)] {
            let good = format!("{brand}_{key}");
            assert_eq!(api_key_parts(&good), Some((brand, name)), "{good}");
        }
        assert_eq!((api_key_parts(&key), api_key_name(&key)), (Some(("", name)), Some(name)));
        for bad in [
            String::new(),
            "lkk_".to_owned(),
            format!("{key}7"),
            key[..key.len() - 1].to_owned(),
            key.replace("lkk_", "lk__"),
            key.replace("4f", "4-"),
            key.replace("K_7", "K77"),
            format!("{}-", &key[..key.len() - 1]),
            format!("_{key}"),
            format!("Acme_{key}"),
            format!("acme{key}"),
            format!("{}_{key}", "a".repeat(LONGEST_BRAND + 1)),
            format!("é{}", &key[2..]),
            "é".repeat(40),
        ] {
            assert_eq!(api_key_name(&bad), None, "{bad}");
        }
    }
}
