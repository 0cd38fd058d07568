//! The rules for `secret_stores`, and the resolved stores.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use outbound::KeyService;

use super::known_stores::{KnownStore, KnownStores, StoreAddress, VaultLogin, is_path};
use super::{AppRoleSetting, AwsStoreSetting, KubernetesSetting, SecretStoreSetting, VaultStoreSetting};
use crate::{check::sealing::is_segment, findings::Location, reading::Reading};

/// The path at which Kubernetes mounts the token of a pod's service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const SIGN_IN: &str = "set exactly one of `token`, `kubernetes` and `approle`";

impl Reading<'_> {
    /// Registers the stores of the settings. A store with an error is added to the findings and not
    /// registered.
    pub(crate) fn know_secret_stores(&mut self, settings: BTreeMap<String, SecretStoreSetting>) {
        let mut known = KnownStores::new();
        for (name, setting) in settings {
            let at = Location::section("secret_stores").key(&name);
            if !is_segment(&name) {
                let hint = "use letters, digits, `-`, `_` and `.`";
                self.findings.key_error(at.clone(), "this is not a valid name for a secret store", hint);
            }
            if setting.refresh.seconds() == 0 {
                self.findings.error(at.key("refresh"), "this interval is too short", "use 1s or more");
            }
            for (id, prefixes) in &setting.tenant_prefixes {
                let at = at.key("tenant_prefixes").key(id);
                for (index, prefix) in prefixes.iter().enumerate() {
                    if !is_path(prefix.trim_end_matches('/')) {
                        let hint = "give the beginning of a path, such as `tenants/acme/`";
                        self.findings.error(at.key(&format!("[{index}]")), "this is not a valid path", hint);
                    }
                }
            }
            let SecretStoreSetting { refresh, vault, aws, tenant_prefixes } = setting;
            let place = match (vault, aws) {
                (Some(vault), None) => self.vault_store(vault, &at.key("vault")),
                (None, Some(aws)) => Some(self.aws_store(aws, &at.key("aws"))),
                (None, None) | (Some(_), Some(_)) => {
                    let problem = "set exactly one type of store";
                    self.findings.refuse(at, problem, "set either `vault` or `aws`")
                }
            };
            let refresh = Duration::from_secs(refresh.seconds());
            known.extend(place.map(|place| (name, KnownStore { refresh, place, tenant_prefixes })));
        }
        self.file_reader.environment.secret_stores().know(known);
    }

    fn vault_store(&mut self, mut setting: VaultStoreSetting, at: &Location) -> Option<StoreAddress> {
        self.check_built_in(KeyService::Vault, at);
        self.check_address(&setting.address, at.key("address"));
        for (key, path) in [("mount", &setting.mount), ("namespace", &setting.namespace)] {
            self.check_mount(path.as_deref(), at.key(key));
        }
        setting.ca = setting.ca.map(|path| self.path(&path, &at.key("ca")));
        let sign_in = match (setting.token.take(), setting.kubernetes.take(), setting.approle.take()) {
            (Some(token), None, None) => VaultLogin::Token(self.token(&token, &at.key("token"))?),
            (None, Some(KubernetesSetting { role, mount, token_file }), None) => {
                let at = at.key("kubernetes");
                self.check_name(is_segment(&role), at.key("role"));
                self.check_mount(mount.as_deref(), at.key("mount"));
                let mount = mount.unwrap_or_else(|| "kubernetes".to_owned());
                let token_file = token_file.as_deref().unwrap_or(Path::new(SERVICE_ACCOUNT));
                VaultLogin::Kubernetes {
                    mount,
                    role,
                    token_file: self.path(token_file, &at.key("token_file")),
                }
            }
            (None, None, Some(AppRoleSetting { role_id, secret_id, mount })) => {
                let at = at.key("approle");
                self.check_name(is_segment(&role_id), at.key("role_id"));
                self.check_mount(mount.as_deref(), at.key("mount"));
                let mount = mount.unwrap_or_else(|| "approle".to_owned());
                VaultLogin::AppRole {
                    mount,
                    role_id,
                    secret_id: self.token(&secret_id, &at.key("secret_id"))?,
                }
            }
            _ => {
                let problem = "set exactly one way to sign in to Vault";
                return self.findings.refuse(at.clone(), problem, SIGN_IN);
            }
        };
        Some(StoreAddress::Vault { setting: Box::new(setting), sign_in })
    }

    fn aws_store(&mut self, setting: AwsStoreSetting, at: &Location) -> StoreAddress {
        self.check_built_in(KeyService::AwsSecrets, at);
        self.check_name(setting.region.as_deref().is_none_or(is_segment), at.key("region"));
        if let Some(endpoint) = &setting.endpoint {
            self.check_address(endpoint, at.key("endpoint"));
        }
        StoreAddress::Aws(setting)
    }

    fn check_mount(&mut self, path: Option<&str>, at: Location) {
        self.check_name(path.is_none_or(|path| path.split('/').all(is_segment)), at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenancy::TenantId;

    #[test]
    fn tenant_may_read_only_below_its_prefixes() {
        let store = KnownStore {
            refresh: Duration::from_secs(60),
            place: StoreAddress::Aws(AwsStoreSetting::default()),
            tenant_prefixes: [("acme".to_owned(), ["teams/acme", "shared/a/"].map(str::to_owned).into())]
                .into(),
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
    fn unsafe_paths_are_refused() {
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
