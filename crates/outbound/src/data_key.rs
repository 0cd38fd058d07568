//! A data key of a service: 32 bytes, otherwise it is invalid.

use keys::SealError;
use zeroize::{Zeroize, Zeroizing};

/// Converts the bytes to a data key and wipes them.
pub(crate) fn from_bytes(mut bytes: Vec<u8>) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut data_key = Zeroizing::new([0; 32]);
    let fits = bytes.len() == data_key.len();
    if fits {
        data_key.copy_from_slice(&bytes);
    }
    bytes.zeroize();
    // We never sealed an authenticated value that is not a data key.
    if fits { Ok(data_key) } else { Err(SealError::Corrupt) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_key_has_32_bytes() {
        assert_eq!(*from_bytes(vec![7; 32]).unwrap(), [7; 32]);
        for length in [0, 31, 33] {
            assert!(matches!(from_bytes(vec![7; length]), Err(SealError::Corrupt)), "{length}");
        }
    }
}
