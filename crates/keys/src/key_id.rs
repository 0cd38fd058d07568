//! Key identifiers: `oauth2-key-N`, counted per tenant and never reused (RFC 7517 §4.5).

use derive_more::Display;
use serde::{Deserialize, Serialize};

/// The number of a key of one tenant; its `kid` is `oauth2-key-N`. A `kid` alone names no key: every tenant has a number 1.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[display("oauth2-key-{_0}")]
pub struct KeyId(u32);

impl KeyId {
    /// The key of this number; the first one is 1.
    #[must_use]
    pub const fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// Parses a `kid`; a text that we could not have written is none.
    #[must_use]
    pub fn parse(kid: &str) -> Option<Self> {
        let number = kid.strip_prefix("oauth2-key-")?;
        let is_as_written = number == "0" || !number.starts_with(['0', '+']);
        number.parse().ok().filter(|_| is_as_written).map(Self)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spelling_that_we_write_is_read() {
        assert_eq!(KeyId::parse("oauth2-key-17"), Some(KeyId::numbered(17)));
        assert_eq!(KeyId::parse("oauth2-key-0"), Some(KeyId::numbered(0)));
        for bad in [
            "oauth2-key-00",
            "oauth2-key-01",
            "oauth2-key-+1",
            "oauth2-key-",
            "OAUTH2-key-1",
            "1",
            "../1",
            "oauth2-key-4294967296",
        ] {
            assert_eq!(KeyId::parse(bad), None, "{bad}");
        }
    }
}
