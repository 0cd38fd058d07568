//! Keys that encrypt other keys: a key in this process, or a key that never leaves a key service.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{SealError, SealingKey};

/// Wraps data keys. A wrapped key can be unwrapped only for the same context.
#[async_trait]
pub trait KeyEncryptionKey: Send + Sync {
    /// The name, which is part of every sealed value and is not secret.
    fn name(&self) -> &str;

    /// Encrypts a data key and authenticates it together with the context.
    async fn wrap(&self, data_key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>, SealError>;

    /// Unwraps a data key that was wrapped for exactly this context.
    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError>;

    /// The key itself, if it is in this process. It also unseals values of format 1, which have no data key.
    fn local(&self) -> Option<&SealingKey> {
        None
    }
}

/// A key in this process. Its name is its identifier.
#[async_trait]
impl KeyEncryptionKey for SealingKey {
    fn name(&self) -> &str {
        &self.name
    }

    async fn wrap(&self, data_key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>, SealError> {
        self.seal_for(&of_data_key(context), data_key)
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let opened = self.unseal_for(&of_data_key(context), wrapped);
        // The name was already compared, so a different name inside means that the bytes are damaged.
        let opened = opened.map_err(|error| match error {
            SealError::WrongKey { .. } | SealError::UnknownFormat => SealError::Corrupt,
            error => error,
        })?;
        data_key(&opened)
    }

    fn local(&self) -> Option<&SealingKey> {
        Some(self)
    }
}

/// Converts an unwrapped data key. Data keys always have 32 bytes, so another length means damage.
///
/// # Errors
/// [`SealError::Corrupt`] if the length is not 32 bytes.
pub fn data_key(unwrapped: &Zeroizing<Vec<u8>>) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut data_key = Zeroizing::new([0; 32]);
    if unwrapped.len() != data_key.len() {
        return Err(SealError::Corrupt);
    }
    data_key.copy_from_slice(unwrapped);
    Ok(data_key)
}

/// Adds a prefix that no context of a value has. So a wrapped data key never unseals as a value of format 1,
/// and a value never unseals as a data key.
fn of_data_key(context: &[u8]) -> Vec<u8> {
    [b"data key of ", context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_key_has_32_bytes() {
        assert_eq!(*data_key(&Zeroizing::new(vec![7; 32])).unwrap(), [7; 32]);
        for length in [0, 31, 33] {
            let unwrapped = Zeroizing::new(vec![7; length]);
            assert!(matches!(data_key(&unwrapped), Err(SealError::Corrupt)), "{length}");
        }
    }
}
