//! A user name as an identifier: `[a-z0-9][a-z0-9._-]{0,62}`. Upper case becomes lower case. It contains no
//! `@`, so it cannot be an email address, and it cannot look like an account id.

use std::sync::Arc;

use derive_more::Display;
use values::AsStr;

use crate::{AccountId, InvalidIdentifier};

/// A normalized user name.
#[derive(AsStr, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(Arc<str>);

impl Username {
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let lower = text.to_ascii_lowercase();
        let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        let fits = (1..=63).contains(&lower.len())
            && lower.bytes().all(inner)
            && lower.as_bytes()[0].is_ascii_alphanumeric()
            && !AccountId::is_reserved(&lower);
        if fits { Ok(Self(lower.into())) } else { Err(InvalidIdentifier::Username) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_short_ascii_names() {
        for (text, expected) in
            [("ada", "ada"), ("Ada", "ada"), ("0.a_b-", "0.a_b-"), (&"a".repeat(63), &"a".repeat(63))]
        {
            assert_eq!(Username::parse(text).unwrap().as_str(), expected);
        }
        let long = "a".repeat(64);
        for bad in ["", ".a", "_a", "-a", "a b", "a@b", "a\0", "\u{e9}", "usr_a", "USR_a", "\u{212a}", &long]
        {
            assert_eq!(Username::parse(bad), Err(InvalidIdentifier::Username), "{bad:?}");
        }
    }
}
