//! HashiCorp Vault's transit engine as a key-encryption key (Vault 1.13 or later, or OpenBao). The context is
//! sent with each data key, both as associated data and as the context of a derived key, so that both kinds
//! of keys work. A ciphertext contains the version of the key, so data keys from before a rotation in Vault
//! can still be unwrapped.
//!
//! The secret store uses the same connection and session.

mod answer;
pub(crate) mod connection;
pub(crate) mod failed;
mod options;
pub(crate) mod request;
pub(crate) mod session;
mod sign_in;
mod token;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use keys::{KeyEncryptionKey, SealError, data_key};
use vaultrs::api::transit::requests::{DecryptDataRequest, EncryptDataRequest};
use vaultrs::client::VaultClient;
use vaultrs::transit::data;
use zeroize::Zeroizing;

use crate::service_error::Service;
use crate::{OptionsError, VaultOptions};
use session::VaultSession;

#[derive(derive_more::Debug)]
#[debug("VaultTransit({})", service.name)]
pub(crate) struct VaultTransit {
    session: VaultSession,
    mount: String,
    key: String,
    service: Service,
}

impl VaultTransit {
    /// Checks the options. Sends no request.
    pub(crate) fn new(options: VaultOptions) -> Result<Self, OptionsError> {
        let address = options.check()?;
        let namespace = options.namespace.as_deref().map(|name| format!("{name}/")).unwrap_or_default();
        let name =
            format!("vault:{}/{namespace}{}/{}", address.authority(), options.mount, options.transit_key);
        let (mount, key) = (options.mount.clone(), options.transit_key.clone());
        let session = options.session(address)?;
        Ok(Self { session, mount, key, service: Service { name } })
    }

    /// The version of Vault's key that wrapped a data key, from `vault:v3:…`.
    pub(crate) fn key_version(wrapped: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(wrapped).ok()?;
        let (version, rest) = text.strip_prefix("vault:v")?.split_once(':')?;
        let is_number = !rest.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { version.parse().ok() } else { None }
    }
}

#[async_trait]
impl KeyEncryptionKey for VaultTransit {
    fn name(&self) -> &str {
        &self.service.name
    }

    async fn wrap(&self, data_key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>, SealError> {
        let plaintext = Zeroizing::new(STANDARD.encode(data_key));
        let context = STANDARD.encode(context);
        let request = async |client: Arc<VaultClient>| {
            let mut request = EncryptDataRequest::builder();
            request.associated_data(context.as_str()).context(context.as_str());
            data::encrypt(&*client, &self.mount, &self.key, &plaintext, Some(&mut request)).await
        };
        let answer = self.session.ask(request).await.map_err(|failed| self.wrap_error(&failed))?;
        let wrapped = answer.ciphertext.into_bytes();
        match Self::key_version(&wrapped) {
            Some(_) => Ok(wrapped),
            None => Err(self.service.not_understood("a ciphertext that does not begin with vault:v1:")),
        }
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        // Any other text is damaged. Sends no request in that case.
        let version = Self::key_version(wrapped).ok_or(SealError::Corrupt)?;
        let ciphertext = std::str::from_utf8(wrapped).map_err(|_| SealError::Corrupt)?;
        let context = STANDARD.encode(context);
        let request = async |client: Arc<VaultClient>| {
            let mut request = DecryptDataRequest::builder();
            request.associated_data(context.as_str()).context(context.as_str());
            data::decrypt(&*client, &self.mount, &self.key, ciphertext, Some(&mut request)).await
        };
        let answer = self.session.ask(request).await.map_err(|failed| self.unwrap_error(&failed, version))?;
        let plaintext = Zeroizing::new(answer.plaintext);
        let bytes = STANDARD.decode(plaintext.as_bytes());
        let bytes = bytes.map_err(|_| self.service.not_understood("a plaintext that is not base64"))?;
        data_key(&Zeroizing::new(bytes))
    }
}
