//! Seals and unseals values, with a key in this process or with a key service.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{SealError, SealingContext, SealingKey};

#[async_trait]
pub trait KeySealer: Send + Sync {
    /// Encrypts a plaintext and authenticates it together with the context.
    async fn seal(&self, context: &SealingContext<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError>;

    /// Decrypts a value that was sealed for exactly this context.
    async fn unseal(
        &self,
        context: &SealingContext<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError>;
}

/// Seals with the key directly (format 1), without a data key.
#[async_trait]
impl KeySealer for SealingKey {
    async fn seal(&self, context: &SealingContext<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        self.seal_for(&context.to_bytes(), plaintext)
    }

    async fn unseal(
        &self,
        context: &SealingContext<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.unseal_for(&context.to_bytes(), sealed)
    }
}
