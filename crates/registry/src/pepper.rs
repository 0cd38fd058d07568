//! The server's pepper: without it the stored hashes of generated secrets say nothing about the secrets.

use std::fmt;

use zeroize::Zeroizing;

use crate::keyed_digest::KeyedDigest;
use crate::random::random_bytes;

/// 32 random bytes, stored once and sealed. Each use has its own key derived from them, so that a digest made for one purpose
/// is worthless for another.
pub struct Pepper {
    bytes: Zeroizing<[u8; 32]>,
    generated_secrets: KeyedDigest,
    declared_secrets: KeyedDigest,
}

impl Pepper {
    /// Draws a new one.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_bytes(random_bytes())
    }

    /// From its bytes, as they were unsealed.
    #[must_use]
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let generated_secrets = KeyedDigest::for_purpose(&bytes, "latchkey generated secret 1");
        let declared_secrets = KeyedDigest::for_purpose(&bytes, "latchkey declared secret 1");
        Self { bytes, generated_secrets, declared_secrets }
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// For hashes that authenticate.
    pub(crate) fn generated_secrets(&self) -> &KeyedDigest {
        &self.generated_secrets
    }

    /// For digests that only recognise a declaration.
    pub(crate) fn declared_secrets(&self) -> &KeyedDigest {
        &self.declared_secrets
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pepper_comes_back_from_its_bytes_and_is_never_printed() {
        let pepper = Pepper::generate();
        let again = Pepper::from_bytes(Zeroizing::new(*pepper.expose()));
        let texts: [&[u8]; 1] = [b"x"];
        assert_eq!(pepper.generated_secrets().of(texts), again.generated_secrets().of(texts));
        assert_ne!(pepper.generated_secrets().of(texts), pepper.declared_secrets().of(texts));
        assert_ne!(pepper.expose(), Pepper::generate().expose());
        assert_eq!(format!("{pepper:?}"), "Pepper([redacted])");
    }
}
