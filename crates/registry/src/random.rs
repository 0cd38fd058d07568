//! Random bytes of the operating system's quality, for the functions of this crate that are called `generate`, and for
//! the exact timer.

use zeroize::Zeroizing;

/// Draws bytes that cannot be foretold.
pub(crate) fn random_bytes<const LENGTH: usize>() -> Zeroizing<[u8; LENGTH]> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).expect("the operating system gives random bytes");
    bytes
}
