//! Where the sealing keys are: each in exactly one place, and what goes over the network goes encrypted.

use std::path::Path;

use administration::FileSecret;
use outbound::{KeyService, ServiceUrl};

use super::super::{
    file_reader::FileReader,
    findings::{Findings, Location},
    resolved::{SealingKeySource, SealingKeys, StorageLocation, Token},
    sections::{Keys, KmsSetting, SealingKeySetting, TokenSetting, VaultSetting},
};

const ALLOWED: &str = "give exactly one of `file`, `env`, `vault` and `aws_kms`";

/// Whether the program contains a key service: [`KeyService::is_built_in`], or another answer in tests.
pub(crate) type IsBuiltIn = fn(KeyService) -> bool;

/// What finding a key needs beside the setting.
struct Finder<'f, 'e> {
    file_reader: &'f FileReader<'e>,
    /// What paths of the file are relative to.
    folder: &'f Path,
    is_built_in: IsBuiltIn,
    findings: &'f mut Findings,
}

/// A sealing key beside the database that it seals.
pub(crate) fn warn_beside_database(
    storage: &StorageLocation,
    sealing_key: &SealingKeySource,
    at: &Location,
    findings: &mut Findings,
) {
    if let (StorageLocation::Sqlite(database), SealingKeySource::File(key)) = (storage, sealing_key)
        && database.parent() == key.parent()
    {
        findings.warning(
            at.key("keys").key("sealing_key"),
            "the sealing key lies beside the database, so one stolen folder opens every key",
            "in production keep it elsewhere, or in a variable: `sealing_key: { env: NAME }`",
        );
    }
}

/// All of them; `key_folder` is what the path of the writing key is relative to.
pub(crate) fn sealing_keys(
    keys: &Keys,
    file_reader: &FileReader<'_>,
    (folder, key_folder): (&Path, &Path),
    is_built_in: IsBuiltIn,
    at: &Location,
    findings: &mut Findings,
) -> Option<SealingKeys> {
    let at = at.key("keys");
    let mut finder = Finder { file_reader, folder: key_folder, is_built_in, findings };
    let setting = &keys.sealing_key;
    let writing = match setting {
        SealingKeySetting { file: None, env: None, vault: None, aws_kms: None } => {
            Some(SealingKeySource::File(folder.join("data/sealing.key")))
        }
        setting => finder.find(setting, &at.key("sealing_key")),
    };
    finder.folder = folder;
    let former = keys.former_sealing_keys.iter().enumerate();
    let former = former.map(|(index, setting)| finder.find(setting, &at.item("former_sealing_keys", index)));
    // All of them are looked at, so that every error is found.
    let former: Vec<_> = former.collect();
    Some(SealingKeys { writing: writing?, former: former.into_iter().collect::<Option<_>>()? })
}

impl Finder<'_, '_> {
    fn find(&mut self, setting: &SealingKeySetting, at: &Location) -> Option<SealingKeySource> {
        let SealingKeySetting { file, env, vault, aws_kms } = setting;
        match (file, env, vault, aws_kms) {
            (Some(file), None, None, None) => Some(SealingKeySource::File(self.folder.join(file))),
            (None, Some(name), None, None) => self.variable(name, at.key("env")).map(SealingKeySource::Text),
            (None, None, Some(vault), None) => self.vault(vault, &at.key("vault")),
            (None, None, None, Some(kms)) => self.kms(kms, &at.key("aws_kms")),
            (None, None, None, None) => {
                self.findings.error(at.clone(), "nothing says where the key is found", ALLOWED);
                None
            }
            _ => {
                self.findings.error(at.clone(), "several places are given for the one key", ALLOWED);
                None
            }
        }
    }

    /// Every build reads every key, so that schema and messages are the same; only the use of a missing service is refused.
    fn built_in(&mut self, service: KeyService, at: &Location) -> bool {
        let is_built_in = (self.is_built_in)(service);
        if !is_built_in {
            let feature = service.feature();
            self.findings.error(
                at.clone(),
                format!("this program is built without {}", service.name()),
                format!("build it with the feature `{feature}`: `cargo run --release --features {feature}`"),
            );
        }
        is_built_in
    }

    fn vault(&mut self, setting: &VaultSetting, at: &Location) -> Option<SealingKeySource> {
        let VaultSetting { address, transit_key, mount, namespace, token, ca } = setting;
        let mut sound = self.built_in(KeyService::Vault, at);
        sound &= self.address(address, at.key("address"));
        for (key, path) in [("mount", mount), ("namespace", namespace)] {
            let fits = path.as_ref().is_none_or(|path| path.split('/').all(is_segment));
            sound &= self.name(fits, at.key(key));
        }
        sound &= self.name(is_segment(transit_key), at.key("transit_key"));
        let token = self.token(token, &at.key("token"))?;
        let ca = ca.as_ref().map(|path| self.folder.join(path));
        sound.then(|| SealingKeySource::Vault { setting: VaultSetting { ca, ..setting.clone() }, token })
    }

    fn kms(&mut self, setting: &KmsSetting, at: &Location) -> Option<SealingKeySource> {
        let KmsSetting { key_id, region, endpoint } = setting;
        let fits = |text: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:/".contains(&byte);
            !text.is_empty() && text.len() <= 2048 && text.bytes().all(plain)
        };
        let mut sound = self.built_in(KeyService::AwsKms, at);
        sound &= self.name(fits(key_id), at.key("key_id"));
        sound &= self.name(region.as_deref().is_none_or(fits), at.key("region"));
        sound &= endpoint.as_deref().is_none_or(|endpoint| self.address(endpoint, at.key("endpoint")));
        sound.then(|| SealingKeySource::AwsKms(setting.clone()))
    }

    fn token(&mut self, setting: &TokenSetting, at: &Location) -> Option<Token> {
        match (&setting.env, &setting.file) {
            (Some(name), None) => self.variable(name, at.key("env")).map(Token::Text),
            (None, Some(file)) => Some(Token::File(self.folder.join(file))),
            (None, None) | (Some(_), Some(_)) => {
                let problem = "the token is to be found in exactly one place";
                self.findings.error(at.clone(), problem, "give either `env` or `file`");
                None
            }
        }
    }

    fn variable(&mut self, name: &str, at: Location) -> Option<FileSecret> {
        let text = self.findings.found(self.file_reader.unhashed_variable(name), at);
        text.map(|mut text| FileSecret::new(std::mem::take(&mut text)))
    }

    /// Data keys and tokens are sent to this address, so http is for this machine only.
    fn address(&mut self, text: &str, at: Location) -> bool {
        let sound = ServiceUrl::parse("", text).is_ok();
        if !sound {
            let hint = "write https://host:port; http:// is for this machine only";
            self.findings.error(at, "keys cannot be sent there", hint);
        }
        sound
    }

    fn name(&mut self, sound: bool, at: Location) -> bool {
        if !sound {
            let problem = "this is empty or has characters that it cannot have";
            self.findings.error(at, problem, "write it as the service shows it");
        }
        sound
    }
}

/// It becomes a part of a URL.
fn is_segment(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !["", ".", ".."].contains(&text) && text.bytes().all(fits)
}
