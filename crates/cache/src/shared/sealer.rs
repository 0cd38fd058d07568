//! Seals shared data with AES-256-GCM, using a key derived from the pepper, and binds it to its purpose and
//! its name in Redis. An attacker who can write to Redis can neither create nor move a value.
//!
//! Every message has its own key, derived from the common key and 16 random bytes. With a single key and
//! random nonces, the limit would be 2^32 messages (NIST SP 800-38D §8.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use keys::Aead;
use secrets::{KeyedDigest, Pepper, random_bytes};
use zeroize::Zeroizing;

/// The first byte: the format of the sealed bytes and of their content. Replicas of two versions must not
/// read each other's messages.
const FORMAT: u8 = 2;
/// The format and the random bytes.
const HEAD_LEN: usize = 1 + 16;

pub(crate) struct Sealer(KeyedDigest);

/// The purpose of sealed bytes, so that a message cannot be used as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SealPurpose {
    Value,
    Message,
    UsedIdentifier,
}

impl Sealer {
    pub(crate) fn new(pepper: &Pepper) -> Self {
        Self(KeyedDigest::for_purpose(pepper.expose(), "latchkey shared cache 2"))
    }

    /// Returns `None` only if there are no random bytes.
    pub(crate) fn seal(&self, purpose: SealPurpose, name: &str, plaintext: &[u8]) -> Option<Vec<u8>> {
        let mut head = [FORMAT; HEAD_LEN];
        head[1..].copy_from_slice(random_bytes::<16>().as_slice());
        self.cipher(&head).seal(&head, &context(purpose, name), plaintext).ok()
    }

    /// Returns `None` unless exactly these bytes were sealed for this purpose and this name.
    pub(crate) fn open(&self, purpose: SealPurpose, name: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (head, rest) = sealed.split_first_chunk::<HEAD_LEN>().filter(|(head, _)| head[0] == FORMAT)?;
        self.cipher(head).open(head, &context(purpose, name), rest).ok()
    }

    fn cipher(&self, head: &[u8; HEAD_LEN]) -> Aead {
        Aead::new(&self.0.of([head.as_slice()]))
    }
}

/// A random token for leases, epochs and senders.
pub(crate) fn token() -> String {
    BASE64.encode(random_bytes::<16>())
}

/// The purpose has a fixed length, so that two different contexts never have the same bytes.
fn context(purpose: SealPurpose, name: &str) -> Vec<u8> {
    let purpose = match purpose {
        SealPurpose::Value => b'v',
        SealPurpose::Message => b'm',
        SealPurpose::UsedIdentifier => b'u',
    };
    [&[purpose], name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Pepper::from_bytes(Zeroizing::new([byte; 32])))
    }

    // [V11 11.3.4]
    #[test]
    fn sealing_binds_key_purpose_and_name() {
        let sealed = sealer(1).seal(SealPurpose::Value, "a", b"canary").unwrap();
        assert_eq!(sealer(1).open(SealPurpose::Value, "a", &sealed).unwrap().as_slice(), b"canary");
        assert_eq!(sealer(1).open(SealPurpose::Value, "b", &sealed), None);
        assert_eq!(sealer(1).open(SealPurpose::Message, "a", &sealed), None);
        assert_eq!(sealer(1).open(SealPurpose::UsedIdentifier, "a", &sealed), None);
        assert_eq!(sealer(2).open(SealPurpose::Value, "a", &sealed), None);
        assert!(!sealed.windows(6).any(|window| window == b"canary"));
        assert_ne!(sealer(1).seal(SealPurpose::Value, "a", b"canary").unwrap(), sealed);
    }

    // [V11 11.2.5]
    #[test]
    fn changed_or_truncated_sealed_value_does_not_open() {
        let sealed = sealer(1).seal(SealPurpose::Value, "a", b"x").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer(1).open(SealPurpose::Value, "a", &changed), None, "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(sealer(1).open(SealPurpose::Value, "a", &sealed[..length]), None, "{length} bytes");
        }
    }
}
