//! Opens a key-encryption key at a key service.

use std::sync::Arc;

use keys::KeyEncryptionKey;

use crate::{KmsOptions, OptionsError, VaultOptions};

/// A key of AWS KMS. Without a region in the options, the region is determined, which may take seconds. Sends
/// no request to AWS KMS.
///
/// # Errors
/// [`OptionsError`] if the options are unusable, or the program is built without AWS KMS.
pub async fn open_aws_kms(options: KmsOptions) -> Result<Arc<dyn KeyEncryptionKey>, OptionsError> {
    #[cfg(feature = "aws-kms")]
    return Ok(Arc::new(crate::kms::AwsKms::new(options).await?));
    #[cfg(not(feature = "aws-kms"))]
    {
        drop(options);
        Err(OptionsError::NotBuiltIn(crate::KeyService::AwsKms))
    }
}

/// A key of Vault. Sends no request to Vault.
///
/// # Errors
/// [`OptionsError`] if the options are unusable, or the program is built without Vault.
pub fn open_vault(options: VaultOptions) -> Result<Arc<dyn KeyEncryptionKey>, OptionsError> {
    #[cfg(feature = "vault")]
    return Ok(Arc::new(crate::vault::VaultTransit::new(options)?));
    #[cfg(not(feature = "vault"))]
    {
        drop(options);
        Err(OptionsError::NotBuiltIn(crate::KeyService::Vault))
    }
}

#[cfg(all(test, feature = "aws-kms", feature = "vault"))]
pub(crate) mod shared_tests;
