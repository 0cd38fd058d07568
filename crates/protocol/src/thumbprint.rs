//! The SHA-256 thumbprint of a public key (RFC 7638 §3) or of a certificate (RFC 8705 §3.1),
//! in base64url on the wire.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use derive_more::{Debug, Display};
use values::{DeserializeFromStr, SerializeDisplay};

const BYTES: usize = 32;

/// Thumbprints are public, so comparing them needs no constant time.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
#[debug("Thumbprint({self})")]
#[display("{}", BASE64URL.encode(_0))]
pub struct Thumbprint([u8; BYTES]);

impl Thumbprint {
    #[must_use]
    pub const fn new(digest: [u8; BYTES]) -> Self {
        Self(digest)
    }

    /// Base64url without padding. `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The decoder requires room for a complete last group of four characters.
        let mut bytes = [0; BYTES + 1];
        let decoded = BASE64URL.decode_slice(text, &mut bytes).ok()?;
        bytes.first_chunk().filter(|_| decoded == BYTES).copied().map(Self)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl FromStr for Thumbprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or("not a SHA-256 thumbprint in base64url")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638 §3.1.
    const EXAMPLE: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

    #[test]
    fn only_canonical_thumbprints_are_parsed() {
        assert_eq!(Thumbprint::parse(EXAMPLE).unwrap().to_string(), EXAMPLE);
        for other in [
            "",
            &EXAMPLE[1..],
            &format!("{EXAMPLE}A"),
            &format!("{EXAMPLE}="),
            &format!("{EXAMPLE}{EXAMPLE}"),
            &EXAMPLE.replace('-', "+"),
            &EXAMPLE.replace("9Xs", "9Xt"),
            &EXAMPLE.replace("9Xs", "9X "),
        ] {
            assert_eq!(Thumbprint::parse(other), None, "{other}");
        }
    }
}
