//! Encrypts identifiers for other parties. The same identifier in the same context always gives the same
//! text. Other parties cannot link two contexts. The server decrypts the text without a stored row (AES-SIV,
//! RFC 5297, with two keys of 256 bits).

use aes_siv::siv::Aes256Siv;
use aes_siv::{KeyInit as _, Tag};
use zeroize::Zeroizing;

use crate::keyed_digest::KeyedDigest;

/// The length in bytes of an identifier, and of the synthetic initialization vector before it.
const BYTES: usize = 16;

pub struct IdentifierCipher(Zeroizing<[u8; 64]>);

impl IdentifierCipher {
    /// Texts under different labels are unrelated.
    #[must_use]
    pub fn for_purpose(key: &[u8; 32], label: &str) -> Self {
        let keys = KeyedDigest::for_purpose(key, label);
        let mut both = Zeroizing::new([0; 64]);
        let (authenticates, encrypts) = both.split_at_mut(32);
        authenticates.copy_from_slice(&*Zeroizing::new(keys.of([b"S2V".as_slice()])));
        encrypts.copy_from_slice(&*Zeroizing::new(keys.of([b"CTR".as_slice()])));
        Self(both)
    }

    /// Encrypts an identifier for a context, which is authenticated.
    #[must_use]
    pub fn seal<const N: usize>(&self, context: [&str; N], identifier: &[u8; BYTES]) -> [u8; 2 * BYTES] {
        let mut text = *identifier;
        let tag = self.cipher().encrypt_inout_detached(context, text.as_mut_slice().into());
        let mut sealed = [0; 2 * BYTES];
        sealed[..BYTES].copy_from_slice(&tag.expect("RFC 5297 has room for 126 parts"));
        sealed[BYTES..].copy_from_slice(&text);
        sealed
    }

    #[must_use]
    pub fn open<const N: usize>(&self, context: [&str; N], sealed: &[u8; 2 * BYTES]) -> Option<[u8; BYTES]> {
        let (tag, sealed) = sealed.split_at(BYTES);
        let mut text = [0; BYTES];
        text.copy_from_slice(sealed);
        let tag = Tag::try_from(tag).ok()?;
        self.cipher().decrypt_inout_detached(context, text.as_mut_slice().into(), &tag).ok()?;
        Some(text)
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new(&(*self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cipher() -> IdentifierCipher {
        IdentifierCipher::for_purpose(&[1; 32], "a")
    }

    // [core Core §8.1], [V11 11.2.1]
    #[test]
    fn sealed_identifier_matches_another_implementation() {
        // Computed with another implementation of RFC 5297 (pyca/cryptography).
        let expected = [
            0xba, 0x85, 0x97, 0x83, 0xf2, 0xf4, 0x1e, 0x47, 0xf3, 0xf5, 0x1c, 0x3d, 0x7b, 0x02, 0xe5, 0x88,
            0x5e, 0x22, 0x70, 0xe8, 0xe0, 0xd0, 0x26, 0x43, 0xa2, 0x4b, 0xe2, 0x91, 0x5c, 0x9f, 0x9e, 0x82,
        ];
        assert_eq!(cipher().seal(["acme", "app.example"], &[7; 16]), expected);
    }

    #[test]
    fn identifier_opens_only_with_its_context_and_purpose() {
        let sealed = cipher().seal(["acme", "app.example"], &[7; 16]);
        assert_eq!(cipher().open(["acme", "app.example"], &sealed), Some([7; 16]));
        for other in [["acme", "b.example"], ["globex", "app.example"], ["acmeapp", ".example"], ["", ""]] {
            assert_eq!(cipher().open(other, &sealed), None, "{other:?}");
            let made = cipher().seal(other, &[7; 16]);
            assert!(made[..16] != sealed[..16] && made[16..] != sealed[16..], "{other:?}");
        }
        assert_eq!(cipher().open(["acme", "app.example", ""], &sealed), None);
        for (byte, purpose) in [(1, "b"), (2, "a")] {
            let other = IdentifierCipher::for_purpose(&[byte; 32], purpose);
            assert_eq!(other.open(["acme", "app.example"], &sealed), None);
        }
    }

    proptest! {
        #[test]
        fn changed_ciphertext_does_not_open(identifier: [u8; 16], at in 0_usize..32, change in 1_u8..) {
            let mut sealed = cipher().seal(["acme", "app.example"], &identifier);
            prop_assert_eq!(cipher().open(["acme", "app.example"], &sealed), Some(identifier));
            sealed[at] ^= change;
            prop_assert_eq!(cipher().open(["acme", "app.example"], &sealed), None);
        }
    }
}
