//! AES-256-GCM with random nonces (NIST SP 800-38D §8.2.2), and for many values under one key AES-256-GCM-SIV
//! (RFC 8452). The output is a readable head, then nonce, ciphertext and tag. Head and context are
//! authenticated.

use aws_lc_rs::aead::{
    AES_256_GCM, AES_256_GCM_SIV, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey,
};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::SealError;

pub(crate) const KEY_LEN: usize = 32;
const TAG_LEN: usize = 16;

/// A key of one of the two. The caller's head must contain its own length, so that different pairs of head
/// and context never have the same bytes.
pub struct Aead(LessSafeKey);

impl Aead {
    #[must_use]
    pub fn new(key: &[u8; KEY_LEN]) -> Self {
        Self::of(&AES_256_GCM, key)
    }

    /// AES-256-GCM-SIV. A repeated nonce shows only whether two plaintexts are equal.
    pub(crate) fn gcm_siv(key: &[u8; KEY_LEN]) -> Self {
        Self::of(&AES_256_GCM_SIV, key)
    }

    fn of(algorithm: &'static Algorithm, key: &[u8; KEY_LEN]) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(algorithm, key).expect("AES-256 takes any 32 bytes")))
    }

    /// Returns the head followed by the sealed plaintext.
    ///
    /// # Errors
    /// [`SealError::Failed`].
    pub fn seal(&self, head: &[u8], context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| SealError::Failed)?;
        let associated = Aad::from([head, context].concat());
        let start = head.len() + NONCE_LEN;
        // The buffer contains the plaintext until it is encrypted in place. So it is zeroized on drop, and
        // its capacity is exact to avoid a reallocation that would leave a copy.
        let mut sealed = Zeroizing::new(Vec::with_capacity(start + plaintext.len() + TAG_LEN));
        sealed.extend_from_slice(head);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, associated, &mut sealed[start..]);
        sealed.extend_from_slice(tag.map_err(|_| SealError::Failed)?.as_ref());
        Ok(std::mem::take(&mut *sealed))
    }

    /// Unseals the bytes after the head.
    ///
    /// # Errors
    /// [`SealError::Corrupt`] unless these bytes were sealed with this key, head and context.
    pub fn open(&self, head: &[u8], context: &[u8], rest: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::Corrupt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Corrupt)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let associated = Aad::from([head, context].concat());
        let opened = self.0.open_in_place(nonce, associated, &mut buffer);
        let length = opened.map_err(|_| SealError::Corrupt)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}
