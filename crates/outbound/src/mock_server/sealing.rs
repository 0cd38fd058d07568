//! The encryption of the mock servers: nonce, ciphertext and tag of AES-256-GCM.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;

const NONCE_LEN: usize = 12;

pub(super) fn new_key() -> [u8; 32] {
    let mut key = [0; 32];
    rand::fill(&mut key).unwrap();
    key
}

pub(super) fn seal(key: &[u8; 32], associated: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).unwrap();
    let mut text = plaintext.to_vec();
    let nonce = cipher.seal_in_place_append_tag(Aad::from(associated), &mut text).unwrap();
    [nonce.as_ref().as_slice(), &text].concat()
}

pub(super) fn open(key: &[u8; 32], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key).unwrap();
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
    let mut text = text.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    cipher.open_in_place(nonce, Aad::from(associated), &mut text).ok().map(|opened| opened.to_vec())
}
