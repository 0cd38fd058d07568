//! A cache of valid signatures of this server's own keys. A token that is presented again costs only a
//! digest.
//!
//! Whether a signature is valid depends only on key, message and signature and never changes, so one bounded
//! cache serves all tenants. The choice of the key, issuer, times, audience and revocation are checked each
//! time.
//!
//! Claims are not remembered: parsing is a small part, and each new check would have to consider the copy. A
//! memory in each key ring would be too large for many tenants, or too small for one with many people.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};
use latchkey_verifier::Algorithm;
use parking_lot::Mutex;

/// With [`WAYS`] this is 65 536 signatures in 2 MiB, which are allocated with the first signature.
const SETS: usize = 1 << 14;
/// The number of signatures in a set, most recently used first.
const WAYS: usize = 4;

pub(crate) static OF_THIS_PROCESS: LazyLock<VerifiedSignatures> =
    LazyLock::new(|| VerifiedSignatures::with_sets(SETS));

/// SHA-256 of key, algorithm, message and signature. An empty place has a digest of zeros, which matches
/// nothing.
pub(crate) type SignedMessage = [u8; 32];

pub(crate) struct VerifiedSignatures {
    sets: Box<[Mutex<[SignedMessage; WAYS]>]>,
}

/// `thumbprint` identifies the key (RFC 7638).
pub(crate) fn signed_message(
    thumbprint: &str,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> SignedMessage {
    let mut digest = Context::new(&SHA256);
    for part in [thumbprint.as_bytes(), algorithm.as_str().as_bytes(), message, signature] {
        // The length comes first, so that the boundaries between the parts are unambiguous.
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

    /// Whether the signature is valid, from the cache or by calling `verify`.
    pub(crate) fn is_valid(&self, signed: &SignedMessage, verify: impl FnOnce() -> bool) -> bool {
        self.change(signed, |set| {
            let way = set.iter().position(|known| known == signed)?;
            set[..=way].rotate_right(1);
            Some(())
        })
        .is_some()
            || verify() && self.add(signed)
    }

    /// Adds the digest as the most recently used of its set, and drops the least recently used.
    fn add(&self, signed: &SignedMessage) -> bool {
        self.change(signed, |set| {
            set.rotate_right(1);
            set[0] = *signed;
        });
        true
    }

    fn change<T>(&self, signed: &SignedMessage, change: impl FnOnce(&mut [SignedMessage; WAYS]) -> T) -> T {
        let number = usize::from(u16::from_be_bytes([signed[0], signed[1]])) % self.sets.len();
        // A panic under the lock leaves every digest complete.
        change(&mut self.sets[number].lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ES256: Algorithm = Algorithm::ES256;

    fn signed(number: u64) -> SignedMessage {
        signed_message("thumbprint", ES256, &number.to_be_bytes(), b"signature")
    }

    /// Returns whether `verify` was called, which means a cache miss.
    fn verifies(signatures: &VerifiedSignatures, signed: &SignedMessage) -> bool {
        let mut verified = false;
        assert!(signatures.is_valid(signed, || {
            verified = true;
            true
        }));
        verified
    }

    #[test]
    fn only_valid_signatures_are_cached() {
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
    fn full_set_evicts_the_least_recently_used() {
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
