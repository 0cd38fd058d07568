//! Client secrets in the operator's stores: the KV engine of HashiCorp Vault or OpenBao, and AWS Secrets
//! Manager. In reading order: [`SecretStoreOptions`], [`SecretStore`], [`StoredVersion`],
//! [`SecretStoreError`].
//!
//! A failed read is tried once more. A write is sent only once, because a write without an answer may have
//! succeeded.

mod error;
#[cfg(any(feature = "aws-secrets", feature = "vault"))]
mod nonsense;
mod options;
mod stored;

#[cfg(feature = "aws-secrets")]
mod aws;
#[cfg(feature = "vault")]
mod vault;

#[cfg(all(test, feature = "aws-secrets", feature = "vault"))]
mod shared_tests;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use values::Secret;

pub use error::{SecretStoreError, UnusableSecret, WriteError};
pub use options::{AwsStoreOptions, SecretStoreOptions, VaultSignIn, VaultStoreOptions};
pub use stored::{StoredSecret, StoredVersion};

#[cfg(not(all(feature = "aws-secrets", feature = "vault")))]
use crate::KeyService;
use crate::OptionsError;

#[async_trait]
pub trait SecretStore: Send + Sync + fmt::Debug {
    /// Reads a secret: its current version, and with `with_previous` also the previous version if the store
    /// still has it.
    ///
    /// # Errors
    /// [`SecretStoreError`]
    async fn read(&self, path: &str, with_previous: bool) -> Result<StoredSecret, SecretStoreError>;

    /// Writes a value under a key of the JSON object at a path, without changing other members, and returns
    /// the new version. Without a key, the value becomes the whole text; only AWS supports this.
    ///
    /// Vault accepts the value only if the version that was read is still current, so no concurrent write is
    /// lost, and Vault creates a missing secret. AWS has no such condition: the later of two concurrent
    /// writes wins. AWS accepts values only for an existing secret.
    ///
    /// # Errors
    /// [`WriteError::Refused`] if nothing was changed, [`WriteError::Unknown`] if the result is unknown.
    async fn write(&self, path: &str, key: Option<&str>, value: &Secret) -> Result<String, WriteError>;
}

/// Opens a store. `name` is its name in the configuration and the prefix of messages. Sends no request to the
/// store. For AWS without a region in the options, the region is determined, which may take seconds.
///
/// # Errors
/// [`OptionsError`] if the options are unusable, or the program is built without this kind of store.
pub async fn open_secret_store(
    name: &str,
    options: SecretStoreOptions,
) -> Result<Arc<dyn SecretStore>, OptionsError> {
    match options {
        #[cfg(feature = "vault")]
        SecretStoreOptions::Vault(options) => Ok(Arc::new(vault::VaultStore::new(name, options)?)),
        #[cfg(not(feature = "vault"))]
        SecretStoreOptions::Vault(_) => {
            let _ = name;
            Err(OptionsError::NotBuiltIn(KeyService::Vault))
        }
        #[cfg(feature = "aws-secrets")]
        SecretStoreOptions::Aws(options) => Ok(Arc::new(aws::AwsStore::new(name, options).await?)),
        #[cfg(not(feature = "aws-secrets"))]
        SecretStoreOptions::Aws(_) => {
            let _ = name;
            Err(OptionsError::NotBuiltIn(KeyService::AwsSecrets))
        }
    }
}
