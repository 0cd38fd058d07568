//! The secret stores in the settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use outbound::{AwsStoreOptions, SecretStoreOptions, VaultSignIn, VaultStoreOptions};
use tenancy::TenantId;

use super::{AwsStoreSetting, VaultStoreSetting};
use crate::{files, resolved::Token};

pub(crate) type KnownStores = BTreeMap<String, KnownStore>;

#[derive(Clone, Debug)]
pub(crate) struct KnownStore {
    /// How long until a secret is read again.
    pub(crate) refresh: Duration,
    pub(crate) place: StoreAddress,
    /// The paths where a tenant's own administrators may have secrets written.
    pub(super) tenant_prefixes: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug)]
pub(crate) enum StoreAddress {
    Vault { setting: Box<VaultStoreSetting>, sign_in: VaultLogin },
    Aws(AwsStoreSetting),
}

/// How the program authenticates to Vault.
#[derive(Clone, Debug)]
pub(crate) enum VaultLogin {
    Token(Token),
    Kubernetes { mount: String, role: String, token_file: PathBuf },
    AppRole { mount: String, role_id: String, secret_id: Token },
}

impl KnownStore {
    pub(crate) fn allows(&self, tenant: &TenantId, path: &str) -> bool {
        let prefixes = self.tenant_prefixes.get(tenant.as_str());
        let begins = |prefix: &String| {
            let prefix = prefix.trim_end_matches('/');
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        prefixes.is_some_and(|prefixes| prefixes.iter().any(begins))
    }

    /// Whether a secret in this store is always a member of a JSON object.
    pub(crate) const fn needs_key(&self) -> bool {
        matches!(self.place, StoreAddress::Vault { .. })
    }

    pub(crate) fn options(&self) -> Result<SecretStoreOptions, String> {
        let (setting, sign_in) = match &self.place {
            StoreAddress::Aws(AwsStoreSetting { region, endpoint }) => {
                let (region, endpoint) = (region.clone(), endpoint.clone());
                return Ok(SecretStoreOptions::Aws(AwsStoreOptions { region, endpoint }));
            }
            StoreAddress::Vault { setting, sign_in } => (setting, sign_in),
        };
        let read = |path: &PathBuf| {
            let read = files::read_public(path).map(|bytes| bytes.to_vec());
            read.map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        Ok(SecretStoreOptions::Vault(VaultStoreOptions {
            address: setting.address.clone(),
            mount: setting.mount.clone().unwrap_or_else(|| "secret".to_owned()),
            namespace: setting.namespace.clone(),
            ca: setting.ca.as_ref().map(read).transpose()?,
            sign_in: match sign_in.clone() {
                VaultLogin::Token(token) => VaultSignIn::Token(token.for_vault()),
                VaultLogin::Kubernetes { mount, role, token_file } => {
                    VaultSignIn::Kubernetes { mount, role, token: (token_file, files::read_secret) }
                }
                VaultLogin::AppRole { mount, role_id, secret_id } => {
                    VaultSignIn::AppRole { mount, role_id, secret_id: secret_id.for_vault() }
                }
            },
        }))
    }
}

/// Whether a text is a valid path in a secret store.
pub(crate) fn is_path(path: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=.@:-".contains(&byte);
    let is_part = |part: &str| !["", ".", ".."].contains(&part) && part.bytes().all(fits);
    path.len() <= 1024 && path.split('/').all(is_part)
}
