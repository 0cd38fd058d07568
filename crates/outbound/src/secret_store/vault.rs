//! A KV engine, version 2, of HashiCorp Vault (1.13 or later) or OpenBao as a secret store.

mod answer;
mod kv;

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use values::{Secret, Timestamp};
use vaultrs::client::VaultClient;
use zeroize::Zeroizing;

use self::answer::{deleted_version, is_missing, may_be_written};
use self::kv::{ReadRequest, VersionAnswer, WriteRequest, is_path};
use super::nonsense::Nonsense;
use super::stored::replaced;
use super::{SecretStore, SecretStoreError, StoredSecret, StoredVersion, VaultStoreOptions, WriteError};
use crate::vault::connection::{VaultConnection, check_name};
use crate::vault::failed::Failed;
use crate::vault::request::exec;
use crate::vault::session::VaultSession;
use crate::{OptionsError, ServiceUrl};

#[derive(derive_more::Debug)]
#[debug("VaultStore({name})")]
pub(crate) struct VaultStore {
    session: VaultSession,
    mount: String,
    /// The store's name in messages.
    name: String,
}

/// The permission that messages name.
#[derive(Clone, Copy)]
enum VaultPermission {
    Read,
    /// The version that is replaced; 0 if the secret does not exist.
    Write(u64),
}

impl VaultStore {
    /// Checks the options and reads the credentials. Sends no request.
    pub(super) fn new(name: &str, options: VaultStoreOptions) -> Result<Self, OptionsError> {
        let VaultStoreOptions { address, mount, namespace, ca, sign_in } = options;
        check_name("mount", &mount, true)?;
        if let Some(namespace) = &namespace {
            check_name("namespace", namespace, true)?;
        }
        let address = ServiceUrl::parse("address", &address)?;
        let name = format!("secret store {name} (Vault at {})", address.authority());
        let session = VaultSession::new(VaultConnection::new(address, namespace, ca.as_deref())?, sign_in)?;
        Ok(Self { session, mount, name })
    }

    /// The current version, or another version.
    async fn version(&self, path: &str, version: Option<u64>) -> Result<VersionAnswer, Failed> {
        let request = async |client: Arc<VaultClient>| {
            exec(&client, ReadRequest { mount: &self.mount, path, version }).await
        };
        self.session.ask(request).await
    }

    fn stored(&self, path: &str, answer: VersionAnswer) -> Result<StoredVersion, SecretStoreError> {
        let place = self.place(path);
        let created_at = Timestamp::parse_rfc3339(&answer.metadata.created_time);
        let Some(data) = answer.data else {
            return Err(self.not_understood(path, Nonsense::NoMember("/data/data")));
        };
        let Some(created_at) = created_at else {
            return Err(self.not_understood(path, Nonsense::Other));
        };
        let text = Zeroizing::new(String::from(Box::<str>::from(data)));
        Ok(StoredVersion::new(place, answer.metadata.version.to_string(), created_at, text)?)
    }

    async fn current(&self, path: &str) -> Result<VersionAnswer, SecretStoreError> {
        if !is_path(path) {
            return Err(self.no_path(path));
        }
        self.version(path, None).await.map_err(|failed| self.error(path, VaultPermission::Read, &failed))
    }
}

#[async_trait]
impl SecretStore for VaultStore {
    async fn read(&self, path: &str, with_previous: bool) -> Result<StoredSecret, SecretStoreError> {
        let current = self.current(path).await?;
        let before = current.metadata.version.saturating_sub(1);
        let current = self.stored(path, current)?;
        if !with_previous || before == 0 {
            return Ok(StoredSecret { current, previous: None });
        }
        let previous = match self.version(path, Some(before)).await {
            // An unusable previous version counts as missing.
            Ok(answer) => self.stored(path, answer).ok(),
            Err(failed) if is_missing(&failed) => None,
            Err(failed) => return Err(self.error(path, VaultPermission::Read, &failed)),
        };
        Ok(StoredSecret { current, previous })
    }

    async fn write(&self, path: &str, key: Option<&str>, value: &Secret) -> Result<String, WriteError> {
        let Some(key) = key else { return Err(self.no_key(path).into()) };
        if !is_path(path) {
            return Err(self.no_path(path).into());
        }
        let (version, current) = match self.version(path, None).await {
            Ok(answer) => (answer.metadata.version, Some(self.stored(path, answer)?)),
            Err(failed) => match deleted_version(&failed) {
                Some(version) => (version, None),
                None => return Err(self.error(path, VaultPermission::Read, &failed).into()),
            },
        };
        let object = replaced(&self.place(path), current.as_ref(), Some(key), value);
        let object = object.map_err(SecretStoreError::from)?;
        let request = async |client: Arc<VaultClient>| {
            let request = WriteRequest { mount: &self.mount, path, onto: version, object: &object };
            exec(&client, request).await
        };
        match self.session.ask_once(request).await {
            Ok(metadata) => Ok(metadata.version.to_string()),
            Err(failed) => {
                let error = self.error(path, VaultPermission::Write(version), &failed);
                Err(WriteError::new(error, may_be_written(&failed)))
            }
        }
    }
}
