//! Client identifiers: unique within a tenant and not secret (RFC 6749 §2.2).

use std::borrow::Borrow;
use std::str::FromStr;
use std::sync::Arc;

use derive_more::{AsRef, Display};
use serde::Serialize;
use values::{AsStr, DeserializeFromStr};

#[derive(
    AsStr, AsRef, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, DeserializeFromStr,
)]
#[as_ref(str)]
pub struct ClientId(Arc<str>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client id is 1 to 255 bytes of UTF-8 without control characters")]
pub struct InvalidClientId;

impl ClientId {
    /// The prefix of this server's own names, such as admin audiences. Client ids must not begin with it.
    pub const RESERVED_PREFIX: &str = "urn:latchkey:";

    /// 1 to 255 bytes, without control characters.
    ///
    /// # Errors
    /// [`InvalidClientId`].
    pub fn parse(text: &str) -> Result<Self, InvalidClientId> {
        let fits = (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.into())) } else { Err(InvalidClientId) }
    }
}

/// Allows to search a map by text.
impl Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = InvalidClientId;

    fn from_str(text: &str) -> Result<Self, InvalidClientId> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_id_is_short_without_control_characters() {
        for good in ["a", "your-client-id", "\u{e9}\u{4e2d}", "a b", &"a".repeat(255)] {
            assert_eq!(ClientId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a\0", "a\nb", "\u{7f}", "\u{85}", &"a".repeat(256), &"\u{e9}".repeat(128)] {
            assert_eq!(ClientId::parse(bad), Err(InvalidClientId), "{bad:?}");
        }
    }
}
