//! HashiCorp Vault's transit engine as a key-encryption key (Vault 1.13 or later, or OpenBao). The context is sent
//! with each data key, as associated data and as the context of a derived key, for keys of either kind. A ciphertext
//! names the version of the key, so data keys wrapped before a rotation in Vault stay readable.

mod answer;
mod options;
mod token;

#[cfg(test)]
pub(crate) mod tests;

use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use keys::{KeyEncryptionKey, SealError, data_key};
use rustify::clients::reqwest::Client as HttpClient;
use tracing::{Dispatch, instrument::WithSubscriber};
use vaultrs::api::EndpointMiddleware;
use vaultrs::api::transit::requests::{DecryptDataRequest, EncryptDataRequest};
use vaultrs::client::VaultClient;
use vaultrs::error::ClientError;
use vaultrs::transit::data;
use zeroize::Zeroizing;

use crate::service_error::Service;
use crate::{OptionsError, ReadFile, VaultOptions, VaultToken};
use answer::Failed;

/// A key of a transit engine.
pub(crate) struct VaultTransit {
    /// The client with the last token that worked.
    client: RwLock<Arc<VaultClient>>,
    token_file: Option<(PathBuf, ReadFile)>,
    mount: String,
    key: String,
    service: Service,
}

/// The pause between the two attempts.
const PAUSE: Duration = Duration::from_millis(100);

impl VaultTransit {
    /// Checks the options; no request is sent before the first wrap or unwrap.
    pub(crate) fn new(options: VaultOptions) -> Result<Self, OptionsError> {
        let address = options.check()?;
        let namespace = options.namespace.as_deref().map(|name| format!("{name}/")).unwrap_or_default();
        let name =
            format!("vault:{}/{namespace}{}/{}", address.authority(), options.mount, options.transit_key);
        let client = RwLock::new(Arc::new(options.client(&address)?));
        let VaultOptions { mount, transit_key: key, token, .. } = options;
        let token_file = match token {
            VaultToken::Text(_) => None,
            VaultToken::File { path, read } => Some((path, read)),
        };
        Ok(Self { client, token_file, mount, key, service: Service { name } })
    }

    /// The version of Vault's key that wrapped a data key, as `vault:v3:…` says.
    pub(crate) fn key_version(wrapped: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(wrapped).ok()?;
        let (version, rest) = text.strip_prefix("vault:v")?.split_once(':')?;
        let is_number = !rest.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { version.parse().ok() } else { None }
    }

    /// Tries a second time when the first attempt failed temporarily or because of the token: wrapping twice is
    /// harmless.
    async fn ask<T, F>(&self, request: impl Fn(Arc<VaultClient>) -> F) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let attempt = |client| request(client).with_subscriber(Dispatch::none());
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        let error = match attempt(client.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let client = match &self.token_file {
            _ if answer::may_pass(&error) => {
                tokio::time::sleep(PAUSE).await;
                client
            }
            Some((file, read)) if answer::is_denied(&error) => match self.renewed(&client, file, *read).await
            {
                Ok(client) => client,
                Err(why) => return Err(Failed { error, token: Some(why) }),
            },
            _ => return Err(error.into()),
        };
        Ok(attempt(client).await?)
    }

    /// The client with the current token of the file, or the reason why it is useless.
    async fn renewed(
        &self,
        refused: &VaultClient,
        file: &Path,
        read: ReadFile,
    ) -> Result<Arc<VaultClient>, String> {
        let token = token::read(file, read).await.map_err(|error| match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => format!("in {}: {error}", file.display()),
        })?;
        if token.expose() == refused.middle.token {
            return Err(format!("{} still holds the token that was refused", file.display()));
        }
        let middle = EndpointMiddleware { token: token.expose().to_owned(), ..refused.middle.clone() };
        let http = HttpClient::new(&refused.http.base, refused.http.http.clone());
        let client = Arc::new(VaultClient { http, middle, settings: refused.settings.clone() });
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = client.clone();
        Ok(client)
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
        let answer = self.ask(request).await.map_err(|failed| self.wrap_error(&failed))?;
        let wrapped = answer.ciphertext.into_bytes();
        match Self::key_version(&wrapped) {
            Some(_) => Ok(wrapped),
            None => Err(self.service.not_understood("a ciphertext that does not begin with vault:v1:")),
        }
    }

    async fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        // Anything else is damaged; no request is needed.
        let version = Self::key_version(wrapped).ok_or(SealError::Corrupt)?;
        let ciphertext = std::str::from_utf8(wrapped).map_err(|_| SealError::Corrupt)?;
        let context = STANDARD.encode(context);
        let request = async |client: Arc<VaultClient>| {
            let mut request = DecryptDataRequest::builder();
            request.associated_data(context.as_str()).context(context.as_str());
            data::decrypt(&*client, &self.mount, &self.key, ciphertext, Some(&mut request)).await
        };
        let answer = self.ask(request).await.map_err(|failed| self.unwrap_error(&failed, version))?;
        let plaintext = Zeroizing::new(answer.plaintext);
        let bytes = STANDARD.decode(plaintext.as_bytes());
        let bytes = bytes.map_err(|_| self.service.not_understood("a plaintext that is no base64"))?;
        data_key(&Zeroizing::new(bytes))
    }
}

impl fmt::Debug for VaultTransit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultTransit({})", self.service.name)
    }
}
