//! Sealing and unsealing: with a key in this process, or with a service behind the same trait.

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

/// Seals with a key that this process holds.
#[derive(Debug)]
pub struct LocalSealer {
    key: SealingKey,
}

impl LocalSealer {
    /// Creates it over the installation's key.
    #[must_use]
    pub fn new(key: SealingKey) -> Self {
        Self { key }
    }
}

#[async_trait]
impl KeySealer for LocalSealer {
    async fn seal(&self, context: &SealingContext<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        self.key.seal(context, plaintext)
    }

    async fn unseal(
        &self,
        context: &SealingContext<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.key.unseal(context, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_local_sealer_reads_what_it_wrote() {
        let sealer = LocalSealer::new(SealingKey::generate().unwrap());
        let pepper = SealingContext::Named("pepper");
        let sealed = sealer.seal(&pepper, b"x").await.unwrap();
        assert_eq!(sealer.unseal(&pepper, &sealed).await.unwrap().as_slice(), b"x");
        assert!(sealer.unseal(&SealingContext::Named("salt"), &sealed).await.is_err());
    }
}
