//! Keys that encrypt other keys: one in this process, or one that never leaves a service.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{SealError, SealingKey};

/// Wraps the data keys that seal values. A wrapped key can be unwrapped for the same context only.
#[async_trait]
pub trait KeyEncryptionKey: Send + Sync {
    /// Its name, which is part of all sealed values and is not secret.
    fn name(&self) -> &str;

    /// Encrypts and authenticates a data key with its context.
    async fn wrap(&self, data_key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>, SealError>;

    /// Unwraps a data key that was wrapped for exactly this context.
    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError>;

    /// The key itself, if it is in this process. It also unseals values of format 1, which have no data key.
    fn local(&self) -> Option<&SealingKey> {
        None
    }
}

/// A sealing key of this process, under the name of its identifier.
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
        // The name was compared before, so a different name inside means damage.
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

/// An unwrapped data key. No key has wrapped bytes of another length, so other lengths mean damage.
///
/// # Errors
/// [`SealError::Corrupt`] unless there are 32 bytes.
pub fn data_key(unwrapped: &Zeroizing<Vec<u8>>) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut data_key = Zeroizing::new([0; 32]);
    if unwrapped.len() != data_key.len() {
        return Err(SealError::Corrupt);
    }
    data_key.copy_from_slice(unwrapped);
    Ok(data_key)
}

/// No context of a value has this prefix. So a wrapped data key never unseals as a value of format 1, and no
/// such value as a wrapped key.
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
