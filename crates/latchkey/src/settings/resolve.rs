//! Reads what the files refer to: secrets, keys and passwords.

use std::path::Path;

use administration::{
    ClientSettings, DeclaredSecret, FileSecret, Jwk, Jwks, KeySource, SecretSource, TenantSettings,
};
use protocol::Secret;
use registry::{DeclaredPassword, DeclaredUser};
use zeroize::Zeroizing;

use super::{
    check,
    file_reader::{FileReader, Referenced, Unreadable},
    findings::{Findings, Location},
    resolved::ResolvedTenant,
    secret::PasswordSetting,
    sections::Admin,
    source::Source,
    yaml,
};
use crate::files::Holds;

/// What resolving needs beside the document.
pub(crate) struct Resolver<'r, 'e> {
    pub(crate) file_reader: &'r mut FileReader<'e>,
    pub(crate) sources: &'r [Source],
    pub(crate) findings: &'r mut Findings,
}

/// Where a secret may be found; a file names one of them.
#[derive(Default)]
struct SecretSources<'p> {
    value: Option<FileSecret>,
    hash: Option<FileSecret>,
    env: Option<&'p str>,
    file: Option<&'p Path>,
    allowed: &'static str,
}

impl Resolver<'_, '_> {
    /// A tenant's document, with what it refers to.
    pub(crate) fn tenant(&mut self, mut settings: TenantSettings, at: Location) -> ResolvedTenant {
        let mut secrets = Vec::with_capacity(settings.clients.len());
        for (client_id, client) in &mut settings.clients {
            let at = at.key("clients").key(client_id);
            secrets.push(self.client_secrets(client, &at));
            if let Some(jwks) = &client.jwks {
                self.check_jwks(jwks, &at.key("jwks"));
            }
        }
        let first_key = settings.signing.first_key.as_mut();
        let first_key = first_key.and_then(|key| self.first_key(key, &at.key("signing").key("first_key")));
        ResolvedTenant { at, settings, secrets, first_key }
    }

    pub(crate) fn admins(&mut self, admin: &mut Admin, at: &Location) -> Vec<DeclaredUser> {
        let mut admins = Vec::new();
        for (name, user) in std::mem::take(&mut admin.users) {
            let at = at.key("users").key(&name).key("password");
            let PasswordSetting { value, env, file, hash } = user.password;
            if value.is_some() {
                self.findings.exposed(
                    at.key("value"),
                    "an admin password is in the file itself while a listener or server.public_url is beyond loopback",
                    "give it as `env` or `file`, or start with listeners on 127.0.0.1 and a public_url of localhost",
                );
            }
            let allowed = "`env`, `file`, `hash` or `value`";
            let secret_sources =
                SecretSources { value, hash, env: env.as_deref(), file: file.as_deref(), allowed };
            if let Some(password) = self.secret(secret_sources, &at) {
                check::secret::check_secret(&password, &at, self.findings);
                admins.push(DeclaredUser { name, password, permissions: user.permissions });
            }
        }
        admins
    }

    /// The secrets of a client; their values are moved out of its document.
    fn client_secrets(&mut self, client: &mut ClientSettings, at: &Location) -> Vec<DeclaredSecret> {
        let single = client.client_secret.iter_mut().map(|secret| (at.key("client_secret"), secret));
        let several = client.client_secrets.iter_mut().enumerate();
        let several = several.map(|(index, secret)| (at.item("client_secrets", index), secret));
        let mut secrets = Vec::new();
        for (at, SecretSource { value, env, file, hash, expires }) in single.chain(several) {
            let allowed = "`env`, `file`, `hash` or `value`";
            let (value, hash) = (value.take(), hash.take());
            let secret_sources =
                SecretSources { value, hash, env: env.as_deref(), file: file.as_deref(), allowed };
            if let Some(secret) = self.secret(secret_sources, &at) {
                check::secret::check_secret(&secret, &at, self.findings);
                let expires_at = *expires;
                secrets.push(match secret {
                    DeclaredPassword::Value(secret) => DeclaredSecret::Value { secret, expires_at },
                    DeclaredPassword::Hash(phc) => DeclaredSecret::Hash { phc, expires_at },
                });
            }
        }
        secrets
    }

    fn first_key(&mut self, source: &mut KeySource, at: &Location) -> Option<Secret> {
        let KeySource { file, env, value } = source;
        let (value, env, file) = (value.take(), env.as_deref(), file.as_deref());
        let allowed = "`file`, `env` or `value`";
        match self.secret(SecretSources { value, env, file, allowed, hash: None }, at)? {
            DeclaredPassword::Value(key) => Some(key),
            DeclaredPassword::Hash(_) => None,
        }
    }

    fn secret(&mut self, secret_sources: SecretSources<'_>, at: &Location) -> Option<DeclaredPassword> {
        let SecretSources { value, hash, env, file, allowed } = secret_sources;
        let text = match (value, hash, env, file) {
            (Some(value), None, None, None) => return Some(DeclaredPassword::Value(value.into_inner())),
            (None, Some(hash), None, None) => return Some(DeclaredPassword::Hash(hash.expose().to_owned())),
            (None, None, Some(name), None) => {
                self.file_reader.variable(name).map_err(|unreadable| (at.key("env"), unreadable))
            }
            (None, None, None, Some(path)) => {
                let folder = self.sources[at.source()].folder();
                let full = folder.join(path);
                match self.file_reader.referenced(folder, path, Holds::Secret) {
                    Ok(Referenced { text, is_exposed }) => {
                        if is_exposed {
                            check::files::warn_of(&full, at.key("file"), self.findings);
                        }
                        Ok(without_last_newline(&text))
                    }
                    Err(unreadable) => Err((at.key("file"), unreadable)),
                }
            }
            (None, None, None, None) => {
                self.findings.error(at.clone(), "nothing says where it is found", format!("give {allowed}"));
                return None;
            }
            _ => {
                let problem = "more than one place is given for the one thing";
                self.findings.error(at.clone(), problem, format!("give exactly one of {allowed}"));
                return None;
            }
        };
        match text {
            Ok(mut text) => Some(DeclaredPassword::Value(Secret::new(std::mem::take(&mut text)))),
            Err((at, Unreadable { problem, hint })) => {
                self.findings.error(at, problem, hint);
                None
            }
        }
    }

    /// The public keys of a client; they are checked, and not used yet.
    fn check_jwks(&mut self, jwks: &Jwks, at: &Location) {
        #[derive(serde::Deserialize)]
        struct KeySet {
            keys: Vec<Jwk>,
        }
        let path = match (&jwks.keys, &jwks.file) {
            (Some(keys), None) => return check::jwks::check(keys, at, self.findings),
            (None, Some(path)) => path,
            (None, None) | (Some(_), Some(_)) => {
                self.findings.error(
                    at.clone(),
                    "the keys are to be found in exactly one place",
                    "give either `file` or `keys`",
                );
                return;
            }
        };
        let folder = self.sources[at.source()].folder();
        let text = match self.file_reader.referenced(folder, path, Holds::Public) {
            Ok(Referenced { text, .. }) => text,
            Err(Unreadable { problem, hint }) => {
                self.findings.error(at.key("file"), problem, hint);
                return;
            }
        };
        let source = Source::new(folder.join(path), Zeroizing::new(text.to_string()));
        match yaml::parse::<KeySet>(&source) {
            Ok(set) => check::jwks::check(&set.keys, at, self.findings),
            Err(fault) => {
                let problem = format!("the file is not a JWK set: {}", fault.brief());
                self.findings.error(at.key("file"), problem, "write `{\"keys\": […]}` as in RFC 7517 §5");
            }
        }
    }
}

/// Editors and `echo` end a file with a newline that is not meant to be part of the secret.
fn without_last_newline(text: &str) -> Zeroizing<String> {
    let stripped = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n'));
    Zeroizing::new(stripped.unwrap_or(text).to_owned())
}
