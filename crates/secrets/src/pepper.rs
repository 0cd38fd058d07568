//! The server's pepper, from which the keys of token hashes are derived. Without it, nobody can check guesses
//! against a stolen token hash.

use derive_more::Debug;
use zeroize::Zeroizing;

use crate::digest_keys::DigestKeys;
use crate::keyed_digest::KeyedDigest;
use crate::random::random_bytes;

/// 32 random bytes, which are stored sealed. Each purpose has its own derived key, so a digest for one
/// purpose is useless for another.
#[derive(Debug)]
#[debug("Pepper([redacted])")]
pub struct Pepper {
    bytes: Zeroizing<[u8; 32]>,
    pub tenants: DigestKeys,
    /// The key of token hashes from earlier versions.
    pub(crate) generated_secrets: KeyedDigest,
    /// The key of API key digests from earlier versions.
    pub(crate) api_keys: KeyedDigest,
    /// The key of digests that detect an unchanged declared secret.
    pub(crate) declared_secrets: KeyedDigest,
}

impl Pepper {
    #[must_use]
    pub fn generate() -> Self {
        Self::from_bytes(random_bytes())
    }

    #[must_use]
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        let generated_secrets = KeyedDigest::for_purpose(&bytes, "latchkey generated secret 1");
        let declared_secrets = KeyedDigest::for_purpose(&bytes, "latchkey declared secret 1");
        let api_keys = KeyedDigest::for_purpose(&bytes, "latchkey API key 1");
        let tenants = DigestKeys::new(&bytes);
        Self { bytes, tenants, generated_secrets, api_keys, declared_secrets }
    }

    /// The bytes, for sealing.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pepper_round_trips_and_is_never_printed() {
        let pepper = Pepper::generate();
        let again = Pepper::from_bytes(Zeroizing::new(*pepper.expose()));
        let texts: [&[u8]; 1] = [b"x"];
        assert_eq!(pepper.generated_secrets.of(texts), again.generated_secrets.of(texts));
        assert_ne!(pepper.generated_secrets.of(texts), pepper.declared_secrets.of(texts));
        assert_ne!(pepper.expose(), Pepper::generate().expose());
        assert_eq!(format!("{pepper:?}"), "Pepper([redacted])");
    }
}
