//! HashiCorp Vault's transit engine as a key-encryption key (Vault 1.13 or later, or OpenBao). The context goes with each data key as
//! associated data, and as the context of a derived key, whichever the key is made for. A ciphertext names the version of the key, so
//! what was wrapped before a rotation inside Vault stays readable.

mod answer;
mod options;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use keys::{KeyEncryptionKey, SealError};
use tracing::{Dispatch, instrument::WithSubscriber};
use vaultrs::api::transit::requests::{DecryptDataRequest, EncryptDataRequest};
use vaultrs::client::VaultClient;
use vaultrs::error::ClientError;
use vaultrs::transit::data;
use zeroize::Zeroizing;

use crate::{OptionsError, data_key, place};
use answer::Answers;
pub use options::VaultOptions;

/// A key of a transit engine.
pub struct VaultTransit {
    client: VaultClient,
    mount: String,
    key: String,
    answers: Answers,
}

/// Between an attempt that came to nothing and the only other one.
const PAUSE: Duration = Duration::from_millis(100);

impl VaultTransit {
    /// Checks the options; Vault is asked when there is something to wrap or unwrap.
    ///
    /// # Errors
    /// [`OptionsError`] where they are unusable.
    pub fn new(options: VaultOptions) -> Result<Self, OptionsError> {
        let address = options.check()?;
        let namespace = options.namespace.as_deref().map(|name| format!("{name}/")).unwrap_or_default();
        let name = format!(
            "vault:{}/{namespace}{}/{}",
            place::authority(&address),
            options.mount,
            options.transit_key
        );
        let client = options.client(&address)?;
        Ok(Self { client, mount: options.mount, key: options.transit_key, answers: Answers { name } })
    }

    /// The version of Vault's key that wrapped a data key, as `vault:v3:…` says.
    #[must_use]
    pub fn key_version(wrapped: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(wrapped).ok()?;
        let (version, rest) = text.strip_prefix("vault:v")?.split_once(':')?;
        let is_number = !rest.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { version.parse().ok() } else { None }
    }

    /// Tries once more where the first attempt may only have had bad luck: wrapping twice does no harm.
    async fn ask<T, F>(&self, request: impl Fn() -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        match request().with_subscriber(Dispatch::none()).await {
            Err(error) if answer::may_pass(&error) => {
                tokio::time::sleep(PAUSE).await;
                request().with_subscriber(Dispatch::none()).await
            }
            outcome => outcome,
        }
    }
}

#[async_trait]
impl KeyEncryptionKey for VaultTransit {
    fn name(&self) -> &str {
        &self.answers.name
    }

    async fn wrap(&self, data_key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>, SealError> {
        let plaintext = Zeroizing::new(STANDARD.encode(data_key));
        let context = STANDARD.encode(context);
        let request = async || {
            let mut request = EncryptDataRequest::builder();
            request.associated_data(context.as_str()).context(context.as_str());
            data::encrypt(&self.client, &self.mount, &self.key, &plaintext, Some(&mut request)).await
        };
        let answer = self.ask(request).await.map_err(|error| self.answers.to_wrap(&error))?;
        let wrapped = answer.ciphertext.into_bytes();
        match Self::key_version(&wrapped) {
            Some(_) => Ok(wrapped),
            None => Err(self.answers.not_understood("a ciphertext that does not begin with vault:v1:")),
        }
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        // Anything else was damaged, and Vault need not be asked.
        let version = Self::key_version(wrapped).ok_or(SealError::Corrupt)?;
        let ciphertext = std::str::from_utf8(wrapped).map_err(|_| SealError::Corrupt)?;
        let context = STANDARD.encode(context);
        let request = async || {
            let mut request = DecryptDataRequest::builder();
            request.associated_data(context.as_str()).context(context.as_str());
            data::decrypt(&self.client, &self.mount, &self.key, ciphertext, Some(&mut request)).await
        };
        let answer = self.ask(request).await.map_err(|error| self.answers.to_unwrap(&error, version))?;
        let plaintext = Zeroizing::new(answer.plaintext);
        let bytes = STANDARD.decode(plaintext.as_bytes());
        let bytes = bytes.map_err(|_| self.answers.not_understood("a plaintext that is no base64"))?;
        data_key::from_bytes(bytes)
    }
}

impl fmt::Debug for VaultTransit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultTransit({})", self.answers.name)
    }
}
