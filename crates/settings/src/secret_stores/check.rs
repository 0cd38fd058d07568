//! The rules over `secret_stores`, and what they come to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outbound::{AwsStoreOptions, KeyService, SecretStoreOptions, VaultSignIn, VaultStoreOptions};
use tenancy::TenantId;

use super::{AppRoleSetting, AwsStoreSetting, KubernetesSetting, SecretStoreSetting, VaultStoreSetting};
use crate::{check::sealing::is_segment, files, findings::Location, read::Reading, resolved::Token};

/// Where Kubernetes mounts the token of a pod's service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const SIGN_IN: &str = "give exactly one of `token`, `kubernetes` and `approle`";

/// Secret stores by name.
pub(crate) type KnownStores = BTreeMap<String, KnownStore>;

/// A secret store as the settings have it.
#[derive(Clone, Debug)]
pub(crate) struct KnownStore {
    /// After what time a secret is read again.
    pub(crate) refresh: Duration,
    pub(crate) place: StorePlace,
    /// Where a tenant's own administrators may have secrets written.
    tenant_prefixes: BTreeMap<String, Vec<String>>,
}

/// Where a store is, with paths resolved.
#[derive(Clone, Debug)]
pub(crate) enum StorePlace {
    Vault { setting: Box<VaultStoreSetting>, sign_in: SignIn },
    Aws(AwsStoreSetting),
}

/// How the program signs in to Vault.
#[derive(Clone, Debug)]
pub(crate) enum SignIn {
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

    /// Whether a secret there is a member of a JSON object, always.
    pub(crate) const fn needs_key(&self) -> bool {
        matches!(self.place, StorePlace::Vault { .. })
    }

    /// What the store is opened with.
    pub(crate) fn options(&self) -> Result<SecretStoreOptions, String> {
        let (setting, sign_in) = match &self.place {
            StorePlace::Aws(AwsStoreSetting { region, endpoint }) => {
                let (region, endpoint) = (region.clone(), endpoint.clone());
                return Ok(SecretStoreOptions::Aws(AwsStoreOptions { region, endpoint }));
            }
            StorePlace::Vault { setting, sign_in } => (setting, sign_in),
        };
        let read = |path: &PathBuf| {
            let read = files::read_public(path).map(|bytes| bytes.to_vec());
            read.map_err(|error| format!("{} cannot be read: {error}", path.display()))
        };
        Ok(SecretStoreOptions::Vault(VaultStoreOptions {
            address: setting.address.clone(),
            mount: setting.mount.clone().unwrap_or_else(|| "secret".to_owned()),
            namespace: setting.namespace.clone(),
            ca: setting.ca.as_ref().map(read).transpose()?,
            sign_in: match sign_in.clone() {
                SignIn::Token(token) => VaultSignIn::Token(token.for_vault()),
                SignIn::Kubernetes { mount, role, token_file } => {
                    VaultSignIn::Kubernetes { mount, role, token: (token_file, files::read_secret) }
                }
                SignIn::AppRole { mount, role_id, secret_id } => {
                    VaultSignIn::AppRole { mount, role_id, secret_id: secret_id.for_vault() }
                }
            },
        }))
    }
}

impl Reading<'_> {
    /// Makes the stores of the settings known. One at fault is among the findings and not among these.
    pub(crate) fn know_secret_stores(&mut self, settings: BTreeMap<String, SecretStoreSetting>) {
        let mut known = KnownStores::new();
        for (name, setting) in settings {
            let at = Location::section("secret_stores").key(&name);
            if !is_segment(&name) {
                let hint = "write it with letters, digits, `-`, `_` and `.`";
                self.findings.key_error(at.clone(), "this is not the name of a secret store", hint);
            }
            if setting.refresh.seconds() == 0 {
                self.findings.error(at.key("refresh"), "this is too often", "write a span of 1s or more");
            }
            for (id, prefixes) in &setting.tenant_prefixes {
                let at = at.key("tenant_prefixes").key(id);
                for (index, prefix) in prefixes.iter().enumerate() {
                    if !is_path(prefix.trim_end_matches('/')) {
                        let hint = "write the beginning of a path, such as `tenants/acme/`";
                        self.findings.error(at.key(&format!("[{index}]")), "this is no path", hint);
                    }
                }
            }
            let SecretStoreSetting { refresh, vault, aws, tenant_prefixes } = setting;
            let place = match (vault, aws) {
                (Some(vault), None) => self.vault_store(vault, &at.key("vault")),
                (None, Some(aws)) => Some(self.aws_store(aws, &at.key("aws"))),
                (None, None) | (Some(_), Some(_)) => {
                    let problem = "the store is to be in exactly one place";
                    self.findings.error(at, problem, "give either `vault` or `aws`");
                    None
                }
            };
            let refresh = Duration::from_secs(refresh.seconds());
            known.extend(place.map(|place| (name, KnownStore { refresh, place, tenant_prefixes })));
        }
        self.file_reader.environment.secret_stores().know(known);
    }

    fn vault_store(&mut self, mut setting: VaultStoreSetting, at: &Location) -> Option<StorePlace> {
        self.check_built_in(KeyService::Vault, at);
        self.check_address(&setting.address, at.key("address"));
        for (key, path) in [("mount", &setting.mount), ("namespace", &setting.namespace)] {
            self.check_mount(path.as_deref(), at.key(key));
        }
        setting.ca = setting.ca.map(|path| self.path(&path, &at.key("ca")));
        let sign_in = match (setting.token.take(), setting.kubernetes.take(), setting.approle.take()) {
            (Some(token), None, None) => SignIn::Token(self.token(&token, &at.key("token"))?),
            (None, Some(KubernetesSetting { role, mount, token_file }), None) => {
                let at = at.key("kubernetes");
                self.check_name(is_segment(&role), at.key("role"));
                self.check_mount(mount.as_deref(), at.key("mount"));
                let mount = mount.unwrap_or_else(|| "kubernetes".to_owned());
                let token_file = token_file.as_deref().unwrap_or(Path::new(SERVICE_ACCOUNT));
                SignIn::Kubernetes { mount, role, token_file: self.path(token_file, &at.key("token_file")) }
            }
            (None, None, Some(AppRoleSetting { role_id, secret_id, mount })) => {
                let at = at.key("approle");
                self.check_name(is_segment(&role_id), at.key("role_id"));
                self.check_mount(mount.as_deref(), at.key("mount"));
                let mount = mount.unwrap_or_else(|| "approle".to_owned());
                SignIn::AppRole { mount, role_id, secret_id: self.token(&secret_id, &at.key("secret_id"))? }
            }
            _ => {
                let problem = "it is not clear how the program signs in to Vault";
                self.findings.error(at.clone(), problem, SIGN_IN);
                return None;
            }
        };
        Some(StorePlace::Vault { setting: Box::new(setting), sign_in })
    }

    fn aws_store(&mut self, setting: AwsStoreSetting, at: &Location) -> StorePlace {
        self.check_built_in(KeyService::AwsSecrets, at);
        self.check_name(setting.region.as_deref().is_none_or(is_segment), at.key("region"));
        if let Some(endpoint) = &setting.endpoint {
            self.check_address(endpoint, at.key("endpoint"));
        }
        StorePlace::Aws(setting)
    }

    fn check_mount(&mut self, path: Option<&str>, at: Location) {
        self.check_name(path.is_none_or(|path| path.split('/').all(is_segment)), at);
    }
}

/// Whether a text is a place in a secret store.
pub(crate) fn is_path(path: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=.@:-".contains(&byte);
    let is_part = |part: &str| !["", ".", ".."].contains(&part) && part.bytes().all(fits);
    path.len() <= 1024 && path.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_may_use_its_prefixes_and_no_path_that_only_looks_alike() {
        let store = KnownStore {
            refresh: Duration::from_secs(60),
            place: StorePlace::Aws(AwsStoreSetting::default()),
            tenant_prefixes: BTreeMap::from([(
                "acme".to_owned(),
                vec!["teams/acme".to_owned(), "shared/a/".to_owned()],
            )]),
        };
        for (tenant, path, expected) in [
            ("acme", "teams/acme/billing", true),
            ("acme", "teams/acme", true),
            ("acme", "teams/acme-2/billing", false),
            ("acme", "teams", false),
            ("acme", "shared/a/b", true),
            ("acme", "shared/ab", false),
            ("globex", "teams/acme/billing", false),
        ] {
            assert_eq!(store.allows(&TenantId::parse(tenant).unwrap(), path), expected, "{tenant} {path}");
        }
    }

    #[test]
    fn a_path_leads_nowhere_else() {
        for (path, expected) in [
            ("oauth2/client-credentials", true),
            ("arn:aws:secretsmanager:eu-central-1:111122223333:secret:billing-a1b2c3", true),
            ("", false),
            ("/a", false),
            ("a/", false),
            ("a//b", false),
            ("a/../b", false),
            ("a/./b", false),
            ("a?b", false),
            ("a#b", false),
            ("a%2fb", false),
            ("a b", false),
        ] {
            assert_eq!(is_path(path), expected, "{path}");
        }
    }
}
