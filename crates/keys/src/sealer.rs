//! Seals and unseals: with a key in this process, or with a service behind the same trait.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{SealError, SealingContext, SealingKey};

/// Seals secrets for a store and unseals them again.
#[async_trait]
pub trait KeySealer: Send + Sync {
    /// Encrypts and authenticates a plaintext with its context.
    async fn seal(&self, context: &SealingContext<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError>;

    /// Decrypts a value that was sealed for exactly this context.
    async fn unseal(
        &self,
        context: &SealingContext<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError>;
}

/// Seals with the key itself, in format 1, which has no data key.
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
