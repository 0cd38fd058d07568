//! HMAC-SHA-256 over a list of texts (RFC 2104). Each text is preceded by its length, so different lists
//! never give the same input.

use std::hash::{BuildHasher, Hasher};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// A prepared HMAC key. A digest takes less than a microsecond.
pub struct KeyedDigest(hmac::Key);

impl KeyedDigest {
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Derives a sub-key for one purpose. Digests under different labels are unrelated.
    #[must_use]
    pub fn for_purpose(key: &[u8; 32], label: &str) -> Self {
        let sub_key = Zeroizing::new(Self::new(key).of([label.as_bytes()]));
        Self::new(&sub_key)
    }

    /// The digest of the texts in this order.
    #[must_use]
    pub fn of<'a>(&self, texts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for text in texts {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

/// A hash that only owners of the key can compute. It is the same in every process of one version.
impl BuildHasher for KeyedDigest {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher(hmac::Context::with_key(&self.0))
    }
}

pub struct KeyedHasher(hmac::Context);

impl Hasher for KeyedHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().sign();
        digest.as_ref().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_depends_on_text_boundaries() {
        let digest = KeyedDigest::new(&[1; 32]);
        let lists: [&[&[u8]]; 5] =
            [&[b"ab", b"c"], &[b"a", b"bc"], &[b"abc"], &[b"abc", b""], &[b"", b"abc"]];
        for (at, left) in lists.iter().enumerate() {
            for right in &lists[at + 1..] {
                assert_ne!(digest.of(left.iter().copied()), digest.of(right.iter().copied()));
            }
        }
    }

    // [V11 11.4.1]: 1 | Approved hash functions only | SHA-256, 384, 512, HMAC-SHA-256, BLAKE2b within
    //   argon2id. CRC-32 in generated secrets is no protection
    #[test]
    fn keys_and_purposes_have_different_digests() {
        let texts: [&[u8]; 1] = [b"x"];
        let digests = [
            KeyedDigest::new(&[1; 32]).of(texts),
            KeyedDigest::new(&[2; 32]).of(texts),
            KeyedDigest::for_purpose(&[1; 32], "a").of(texts),
            KeyedDigest::for_purpose(&[1; 32], "b").of(texts),
        ];
        for (at, left) in digests.iter().enumerate() {
            assert!(!digests[at + 1..].contains(left));
        }
    }
}
