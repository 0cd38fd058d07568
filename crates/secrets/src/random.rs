//! Random bytes of the operating system, for functions called `generate` and for the precise timer.

use zeroize::Zeroizing;

/// Draws bytes that cannot be predicted. They are wiped on drop.
///
/// # Panics
/// When the operating system has no random bytes.
#[must_use]
pub fn random_bytes<const LENGTH: usize>() -> Zeroizing<[u8; LENGTH]> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).expect("the operating system gives random bytes");
    bytes
}
