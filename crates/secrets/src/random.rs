//! Random bytes of the operating system.

use zeroize::Zeroizing;

/// Returns unpredictable bytes, which are zeroized on drop.
///
/// # Panics
/// If the operating system has no random bytes.
#[must_use]
pub fn random_bytes<const LENGTH: usize>() -> Zeroizing<[u8; LENGTH]> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).expect("the operating system gives random bytes");
    bytes
}
