//! Seals shared data: AES-256-GCM under a key derived from the pepper, bound to purpose and name in Redis. An
//! attacker who can write to Redis can neither create nor move a value.
//!
//! Every message has its own key, derived from the common key and 16 random bytes: random nonces under a single key
//! would be exhausted after 2^32 messages (NIST SP 800-38D §8.3).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use secrets::Pepper;

/// The first byte: the format of the seal.
const FORMAT: u8 = 1;
const SALT_LEN: usize = 16;
const HEAD_LEN: usize = 1 + SALT_LEN + NONCE_LEN;

/// Seals and unseals.
pub(crate) struct Sealer(hmac::Key);

/// The purpose of sealed bytes, so that a message cannot pass for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Value,
    Message,
}

impl Sealer {
    pub(crate) fn new(pepper: &Pepper) -> Self {
        let pepper = hmac::Key::new(hmac::HMAC_SHA256, pepper.expose());
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&pepper, b"latchkey shared cache 1").as_ref()))
    }

    /// Seals bytes; `None` only without random bytes.
    pub(crate) fn seal(&self, purpose: Purpose, name: &str, plaintext: Vec<u8>) -> Option<Vec<u8>> {
        let mut head = [FORMAT; HEAD_LEN];
        rand::fill(&mut head[1..]).ok()?;
        let (key, nonce) = self.key(&head)?;
        let mut body = plaintext;
        key.seal_in_place_append_tag(nonce, context(purpose, name), &mut body).ok()?;
        Some([&head, body.as_slice()].concat())
    }

    /// Opens bytes; `None` unless every bit is as it was sealed, for this purpose and this name.
    pub(crate) fn open(&self, purpose: Purpose, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (head, body) = sealed.split_first_chunk::<HEAD_LEN>()?;
        if head[0] != FORMAT {
            return None;
        }
        let (key, nonce) = self.key(head)?;
        let mut body = body.to_vec();
        let length = key.open_in_place(nonce, context(purpose, name), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    fn key(&self, head: &[u8; HEAD_LEN]) -> Option<(LessSafeKey, Nonce)> {
        let (salt, nonce) = head[1..].split_at(SALT_LEN);
        let key = UnboundKey::new(&AES_256_GCM, hmac::sign(&self.0, salt).as_ref()).ok()?;
        Some((LessSafeKey::new(key), Nonce::try_assume_unique_for_key(nonce).ok()?))
    }
}

/// Draws a random token, for leases, epochs and senders.
pub(crate) fn token() -> Option<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).ok()?;
    Some(BASE64.encode(bytes))
}

/// The purpose has a fixed length, so no two contexts have the same bytes.
fn context(purpose: Purpose, name: &str) -> Aad<Vec<u8>> {
    let purpose = match purpose {
        Purpose::Value => b'v',
        Purpose::Message => b'm',
    };
    Aad::from([&[purpose], name.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Pepper::from_bytes(Zeroizing::new([byte; 32])))
    }

    #[test]
    fn only_the_same_key_purpose_and_name_open_what_was_sealed() {
        let sealed = sealer(1).seal(Purpose::Value, "a", b"canary".to_vec()).unwrap();
        assert_eq!(sealer(1).open(Purpose::Value, "a", &sealed).unwrap(), b"canary");
        assert_eq!(sealer(1).open(Purpose::Value, "b", &sealed), None);
        assert_eq!(sealer(1).open(Purpose::Message, "a", &sealed), None);
        assert_eq!(sealer(2).open(Purpose::Value, "a", &sealed), None);
        assert!(!sealed.windows(6).any(|window| window == b"canary"));
        assert_ne!(sealer(1).seal(Purpose::Value, "a", b"canary".to_vec()).unwrap(), sealed);
    }

    #[test]
    fn every_bit_and_every_byte_counts() {
        let sealed = sealer(1).seal(Purpose::Value, "a", b"x".to_vec()).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer(1).open(Purpose::Value, "a", &changed), None, "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(sealer(1).open(Purpose::Value, "a", &sealed[..length]), None, "{length} bytes");
        }
    }
}
