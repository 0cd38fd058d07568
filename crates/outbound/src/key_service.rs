//! The key services and secret stores, and which of them this program is built with. Each is a cargo feature,
//! because its library is large.

use std::sync::Arc;

use keys::KeyEncryptionKey;

use crate::{KmsOptions, OptionsError, VaultOptions};

/// A service that holds key-encryption keys or secrets.
#[derive(Clone, Copy, Debug, derive_more::Display, PartialEq, Eq)]
pub enum KeyService {
    /// AWS KMS.
    #[display("AWS KMS")]
    AwsKms,
    /// AWS Secrets Manager.
    #[display("AWS Secrets Manager")]
    AwsSecrets,
    /// HashiCorp Vault: its transit engine for keys, its KV engine for secrets.
    #[display("HashiCorp Vault")]
    Vault,
}

impl KeyService {
    /// Whether this program is built with the service.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        match self {
            Self::AwsKms => cfg!(feature = "aws-kms"),
            Self::AwsSecrets => cfg!(feature = "aws-secrets"),
            Self::Vault => cfg!(feature = "vault"),
        }
    }

    /// The cargo feature of the programs that contain the service.
    #[must_use]
    pub const fn feature(self) -> &'static str {
        match self {
            Self::AwsKms => "aws-kms",
            Self::AwsSecrets => "aws-secrets",
            Self::Vault => "vault",
        }
    }
}

/// What to do about a part of the program that is a cargo feature, and is not built in.
#[must_use]
pub fn build_hint(feature: &str) -> String {
    format!("build it with the feature `{feature}`: `cargo build --release --features {feature}`")
}

/// A key of AWS KMS. Determines the region where the options name none, which may take seconds; sends no
/// request to AWS KMS.
///
/// # Errors
/// [`OptionsError`] where the options are unusable, or the program is built without AWS KMS.
pub async fn open_aws_kms(options: KmsOptions) -> Result<Arc<dyn KeyEncryptionKey>, OptionsError> {
    #[cfg(feature = "aws-kms")]
    return Ok(Arc::new(crate::kms::AwsKms::new(options).await?));
    #[cfg(not(feature = "aws-kms"))]
    {
        drop(options);
        Err(OptionsError::NotBuiltIn(KeyService::AwsKms))
    }
}

/// A key of Vault. Sends no request to Vault.
///
/// # Errors
/// [`OptionsError`] where the options are unusable, or the program is built without Vault.
pub fn open_vault(options: VaultOptions) -> Result<Arc<dyn KeyEncryptionKey>, OptionsError> {
    #[cfg(feature = "vault")]
    return Ok(Arc::new(crate::vault::VaultTransit::new(options)?));
    #[cfg(not(feature = "vault"))]
    {
        drop(options);
        Err(OptionsError::NotBuiltIn(KeyService::Vault))
    }
}

#[cfg(all(test, feature = "aws-kms", feature = "vault"))]
pub(crate) mod shared_tests;

#[cfg(test)]
mod tests {
    use super::KeyService;

    #[test]
    fn tests_run_with_every_key_service() {
        for service in [KeyService::AwsKms, KeyService::AwsSecrets, KeyService::Vault] {
            assert!(service.is_built_in(), "{service:?}: its tests were left out");
        }
    }
}
