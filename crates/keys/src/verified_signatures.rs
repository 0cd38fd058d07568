//! Valid signatures of this server's own keys: a token that is presented again costs a digest, and no second
//! verification.
//!
//! Whether a key made a signature over a message depends on these three alone, and never changes. So one
//! memory of bounded size serves all tenants. The choice of the key, issuer, times, audience and revocation
//! are checked each time.
//!
//! Claims are not remembered: parsing is a small part, and each new check would have to consider the copy. A
//! memory in each key ring would be too large for many tenants, or too small for one with many people.

use std::sync::{LazyLock, Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use latchkey_verifier::Algorithm;

/// With [`WAYS`] this makes 65 536 signatures, in 2 MiB that are allocated with the first one.
const SETS: usize = 1 << 14;
/// The signatures of one set, the last used first.
const WAYS: usize = 4;

/// The memory of this process.
pub(crate) static OF_THIS_PROCESS: LazyLock<VerifiedSignatures> =
    LazyLock::new(|| VerifiedSignatures::with_sets(SETS));

/// SHA-256 of a key with its algorithm, a message and a signature. An empty place has a digest of zeros,
/// which matches none.
pub(crate) type SignedMessage = [u8; 32];

pub(crate) struct VerifiedSignatures {
    sets: Box<[Mutex<[SignedMessage; WAYS]>]>,
}

/// The key is given by its thumbprint (RFC 7638).
pub(crate) fn signed_message(
    thumbprint: &str,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> SignedMessage {
    let mut digest = Context::new(&SHA256);
    for part in [thumbprint.as_bytes(), algorithm.as_str().as_bytes(), message, signature] {
        // The length comes first, so that no byte can count as one of the next part.
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut found = SignedMessage::default();
    found.copy_from_slice(digest.finish().as_ref());
    found
}

impl VerifiedSignatures {
    fn with_sets(sets: usize) -> Self {
        Self { sets: (0..sets).map(|_| Mutex::default()).collect() }
    }

    /// Whether the signature is valid: as it was found before, or as `verify` finds now.
    pub(crate) fn is_valid(&self, signed: &SignedMessage, verify: impl FnOnce() -> bool) -> bool {
        self.change(signed, |set| {
            let way = set.iter().position(|known| known == signed)?;
            set[..=way].rotate_right(1);
            Some(())
        })
        .is_some()
            || verify() && self.add(signed)
    }

    /// Puts it before the others of its set, the last of which is forgotten.
    fn add(&self, signed: &SignedMessage) -> bool {
        self.change(signed, |set| {
            set.rotate_right(1);
            set[0] = *signed;
        });
        true
    }

    fn change<T>(&self, signed: &SignedMessage, change: impl FnOnce(&mut [SignedMessage; WAYS]) -> T) -> T {
        let number = usize::from(u16::from_be_bytes([signed[0], signed[1]])) % self.sets.len();
        // After a panic under the lock, each digest is complete.
        change(&mut self.sets[number].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ES256: Algorithm = Algorithm::ES256;

    fn signed(number: u64) -> SignedMessage {
        signed_message("thumbprint", ES256, &number.to_be_bytes(), b"signature")
    }

    /// Whether it was verified now.
    fn verifies(signatures: &VerifiedSignatures, signed: &SignedMessage) -> bool {
        let mut verified = false;
        assert!(signatures.is_valid(signed, || {
            verified = true;
            true
        }));
        verified
    }

    #[test]
    fn a_valid_signature_is_verified_once_and_an_invalid_one_each_time() {
        let signatures = VerifiedSignatures::with_sets(16);
        for _ in 0..3 {
            assert!(!signatures.is_valid(&signed(1), || false));
        }
        assert!(verifies(&signatures, &signed(1)));
        assert!(!verifies(&signatures, &signed(1)));
        assert!(verifies(&signatures, &signed(2)));
    }

    #[test]
    fn key_message_and_signature_are_all_compared() {
        let signatures = VerifiedSignatures::with_sets(1);
        assert!(verifies(&signatures, &signed_message("key", ES256, b"message", b"signature")));
        for ((key, algorithm), message, signature) in [
            (("kez", ES256), &b"message"[..], &b"signature"[..]),
            (("key", Algorithm::ES384), b"message", b"signature"),
            (("key", ES256), b"massage", b"signature"),
            (("key", ES256), b"message", b"signaturf"),
            (("key", ES256), b"messages", b"ignature"),
        ] {
            let other = signed_message(key, algorithm, message, signature);
            assert!(!signatures.is_valid(&other, || false), "{key} {algorithm:?} {message:?} {signature:?}");
        }
    }

    #[test]
    fn a_full_set_forgets_the_one_that_was_used_least_lately() {
        let signatures = VerifiedSignatures::with_sets(1);
        for number in [1, 2, 3, 4] {
            assert!(verifies(&signatures, &signed(number)));
        }
        assert!(!verifies(&signatures, &signed(1)));
        assert!(verifies(&signatures, &signed(5)), "which takes the place of 2");
        for (number, is_new) in [(1, false), (3, false), (4, false), (5, false), (2, true)] {
            assert_eq!(verifies(&signatures, &signed(number)), is_new, "{number}");
        }
    }
}
