//! The places of the sealing keys: each key has exactly one place, and keys are never sent over the network
//! unencrypted.

use std::path::{Path, PathBuf};

use administration::documents::FileSecret;
use outbound::{KeyService, ServiceUrl};

use super::super::{
    findings::Location,
    reading::Reading,
    resolved::{SealingKeySource, SealingKeys, Token},
    sections::{Keys, KmsSetting, SealingKeySetting, TokenSetting, VaultSetting},
};

const ALLOWED: &str = "set exactly one of `file`, `env`, `store`, `vault` and `aws_kms`";

impl Reading<'_> {
    /// All sealing keys, or `None` if one is invalid. All are checked, so that every error is reported.
    pub(crate) fn sealing_keys(&mut self, keys: &Keys) -> Option<SealingKeys> {
        let at = Location::section("keys");
        let errors_before = self.findings.errors.len();
        let setting = &keys.sealing_key;
        let writing = match setting {
            SealingKeySetting {
                file: None,
                env: None,
                store: None,
                path: None,
                key: None,
                vault: None,
                aws_kms: None,
            } => Some(SealingKeySource::File(self.locations.folder(&at).join("data/sealing.key"))),
            setting => self.find(setting, &at.key("sealing_key")),
        };
        let former = keys.former_sealing_keys.iter().enumerate();
        let former: Vec<_> = former
            .map(|(index, setting)| self.find(setting, &at.item("former_sealing_keys", index)))
            .collect();
        let is_sound = self.findings.errors.len() == errors_before;
        is_sound.then_some(SealingKeys { writing: writing?, former: former.into_iter().flatten().collect() })
    }

    fn find(&mut self, setting: &SealingKeySetting, at: &Location) -> Option<SealingKeySource> {
        let SealingKeySetting { file, env, store, path, key, vault, aws_kms } = setting;
        let stored = self.reference((store.clone(), path.clone(), key.clone()), at).ok()?;
        match (file, env, stored, vault, aws_kms) {
            (Some(file), None, None, None, None) => {
                Some(SealingKeySource::File(self.path(file, &at.key("file"))))
            }
            (None, Some(name), None, None, None) => {
                self.variable(name, at.key("env")).map(SealingKeySource::Text)
            }
            (None, None, Some(stored), None, None) => {
                self.stored_of_server(&stored, at).map(SealingKeySource::Text)
            }
            (None, None, None, Some(vault), None) => self.vault(vault, &at.key("vault")),
            (None, None, None, None, Some(kms)) => Some(self.kms(kms, &at.key("aws_kms"))),
            (None, None, None, None, None) => {
                self.findings.refuse(at.clone(), "the location of the key is missing", ALLOWED)
            }
            _ => self.findings.refuse(at.clone(), "the key has more than one location", ALLOWED),
        }
    }

    /// Every build accepts every key service in the settings, so that schema and messages are the same. Only
    /// using a service that is not built in is an error.
    pub(crate) fn check_built_in(&mut self, service: KeyService, at: &Location) {
        if !(self.is_built_in)(service) {
            let hint = outbound::build_hint(service.feature());
            self.findings.error(at.clone(), format!("this program was built without {service}"), hint);
        }
    }

    fn vault(&mut self, setting: &VaultSetting, at: &Location) -> Option<SealingKeySource> {
        let VaultSetting { address, transit_key, mount, namespace, token, ca } = setting;
        self.check_built_in(KeyService::Vault, at);
        self.check_address(address, at.key("address"));
        for (key, path) in [("mount", mount), ("namespace", namespace)] {
            let fits = path.as_ref().is_none_or(|path| path.split('/').all(is_segment));
            self.check_name(fits, at.key(key));
        }
        self.check_name(is_segment(transit_key), at.key("transit_key"));
        let token = self.token(token, &at.key("token"))?;
        let ca = ca.as_ref().map(|path| self.path(path, &at.key("ca")));
        Some(SealingKeySource::Vault { setting: VaultSetting { ca, ..setting.clone() }, token })
    }

    fn kms(&mut self, setting: &KmsSetting, at: &Location) -> SealingKeySource {
        let KmsSetting { key_id, region, endpoint } = setting;
        let fits = |text: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:/".contains(&byte);
            !text.is_empty() && text.len() <= 2048 && text.bytes().all(plain)
        };
        self.check_built_in(KeyService::AwsKms, at);
        self.check_name(fits(key_id), at.key("key_id"));
        self.check_name(region.as_deref().is_none_or(fits), at.key("region"));
        if let Some(endpoint) = endpoint {
            self.check_address(endpoint, at.key("endpoint"));
        }
        SealingKeySource::AwsKms(setting.clone())
    }

    pub(crate) fn token(&mut self, setting: &TokenSetting, at: &Location) -> Option<Token> {
        match (&setting.env, &setting.file) {
            (Some(name), None) => self.variable(name, at.key("env")).map(Token::Text),
            (None, Some(file)) => Some(Token::File(self.path(file, &at.key("file")))),
            (None, None) | (Some(_), Some(_)) => {
                let problem = "set exactly one location for the token";
                self.findings.refuse(at.clone(), problem, "set either `env` or `file`")
            }
        }
    }

    pub(crate) fn path(&self, path: &Path, at: &Location) -> PathBuf {
        self.locations.folder(at).join(path)
    }

    pub(crate) fn variable(&mut self, name: &str, at: Location) -> Option<FileSecret> {
        self.findings.found(self.file_reader.unhashed_variable(name), at)
    }

    /// Data keys and tokens are sent to this address, so http is only allowed for this machine.
    pub(crate) fn check_address(&mut self, text: &str, at: Location) {
        if ServiceUrl::parse("", text).is_err() {
            let hint = "use https://host:port; http:// is allowed on this machine only";
            self.findings.error(at, "Latchkey cannot send keys to this address", hint);
        }
    }

    pub(crate) fn check_name(&mut self, fits: bool, at: Location) {
        if !fits {
            let problem = "this value is empty or contains characters that are not allowed";
            self.findings.error(at, problem, "copy the value exactly as the service shows it");
        }
    }
}

/// Whether the text can be a segment of a URL's path.
pub(crate) fn is_segment(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !["", ".", ".."].contains(&text) && text.bytes().all(fits)
}
