//! Client secrets in stores of the operator: the KV engine of HashiCorp Vault or OpenBao, and AWS Secrets
//! Manager. In reading order: [`SecretStoreOptions`], [`SecretStore`], [`StoredVersion`],
//! [`SecretStoreError`].
//!
//! A read is tried twice. A write is sent once: what has no answer may have happened.

mod error;
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
use protocol::Secret;

pub use error::{SecretStoreError, UnusableSecret, WriteError};
pub use options::{AwsStoreOptions, SecretStoreOptions, VaultSignIn, VaultStoreOptions};
pub use stored::{StoredSecret, StoredVersion};

#[cfg(not(all(feature = "aws-secrets", feature = "vault")))]
use crate::KeyService;
use crate::OptionsError;

/// A place where an operator keeps client secrets.
#[async_trait]
pub trait SecretStore: Send + Sync + fmt::Debug {
    /// Reads a secret: its current version and, with `with_previous`, the one before where the store still
    /// has it.
    ///
    /// # Errors
    /// [`SecretStoreError`]
    async fn read(&self, path: &str, with_previous: bool) -> Result<StoredSecret, SecretStoreError>;

    /// Puts a value at a path under a key, leaves the other members as they are, and returns the new version.
    /// Without a key the value becomes the whole text, in AWS only.
    ///
    /// Vault takes it only onto the version that was read for it, so nothing that was written meanwhile is
    /// lost, and creates a secret that is not there. AWS has no such condition: of two writes at one time the
    /// later one wins; and it takes a value only for a secret that exists.
    ///
    /// # Errors
    /// [`WriteError::Refused`] where nothing was changed, [`WriteError::Unknown`] where that is not known.
    async fn write(&self, path: &str, key: Option<&str>, value: &Secret) -> Result<String, WriteError>;
}

/// A store by its name in the configuration, which messages begin with. Sends no request to the store. For
/// AWS it determines the region where the options name none, which may take seconds.
///
/// # Errors
/// [`OptionsError`] where the options are unusable, or the program is built without this kind of store.
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
