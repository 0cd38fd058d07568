//! Reads the secrets, keys, passwords and pictures that the files refer to.

use std::collections::BTreeMap;

use administration::administrator::secret_writer::SecretPlace;
use administration::declaration::{DeclaredSecret, UnreadValue};
use administration::documents;
use administration::documents::{FileSecret, LogoSettings, PasswordSource};
use registry::{ClientId, DeclaredPassword, DeclaredUser};
use values::Secret;

use super::{
    check, file_reader::FileText, findings::Location, reading::Reading, resolved::ResolvedTenant,
    sections::AdminUser, source::SourceFile, yaml,
};
use crate::files::Holds;

/// The allowed places of a secret or password.
const ANY_PLACE: &str = "`env`, `file`, `hash` or `value`";
const CLIENT_SECRET: &str = "`env`, `file`, `store`, `hash` or `value`";
const SEVERAL_PLACES: &str = "set exactly one source for this value";

impl Reading<'_> {
    /// A tenant's document, with everything that it refers to.
    pub(crate) fn tenant(&mut self, mut settings: documents::TenantSettings, at: Location) -> ResolvedTenant {
        let mut secrets = Vec::with_capacity(settings.clients.len());
        let mut unread = Vec::new();
        for (client_id, client) in &mut settings.clients {
            let at = at.key("clients").key(client_id);
            self.check_rotation(client, &at);
            let (found, not_found) = self.client_secrets(client, &at);
            secrets.push(found);
            if let Ok(id) = ClientId::parse(client_id) {
                let of_client = |why| UnreadValue { client: id.clone(), why };
                unread.extend(not_found.into_iter().map(of_client));
            }
            if let Some(jwks) = &mut client.jwks {
                self.public_keys(jwks, &at.key("jwks"));
            }
        }
        if let Some(authorities) = &mut settings.client_ca {
            self.client_ca(authorities, &at.key("client_ca"));
        }
        for (name, issuer) in &mut settings.trusted_issuers {
            if let Some(jwks) = &mut issuer.jwks {
                self.public_keys(jwks, &at.key("trusted_issuers").key(name).key("jwks"));
            }
        }
        let mut passwords = Vec::with_capacity(settings.accounts.len());
        for (name, account) in &mut settings.accounts {
            let at = at.key("accounts").key(name).key("password");
            let password = account.password.take();
            passwords.push(password.and_then(|password| self.password_of_person(password, &at)));
        }
        let branding = &mut settings.branding;
        for (logo, name) in [(&mut branding.logo, "logo"), (&mut branding.logo_dark, "logo_dark")] {
            *logo = logo.take().and_then(|logo| self.logo(logo, &at.key("branding").key(name)));
        }
        let first_key = settings.signing.first_key.take();
        let first_key = first_key.and_then(|key| self.first_key(key, &at.key("signing").key("first_key")));
        ResolvedTenant { at, settings, secrets, unread, passwords, first_key }
    }

    pub(crate) fn admins(&mut self, users: BTreeMap<String, AdminUser>) -> Vec<DeclaredUser> {
        let mut admins = Vec::new();
        for (name, user) in users {
            let at = Location::section("admin").key("users").key(&name).key("password");
            if let Some(password) = self.password_of_person(user.password, &at) {
                admins.push(DeclaredUser { name, password, permissions: user.permissions });
            }
        }
        admins
    }

    /// A password in the file itself is only allowed on a server for this machine.
    fn password_of_person(&mut self, source: PasswordSource, at: &Location) -> Option<DeclaredPassword> {
        if source.value.is_some() {
            self.findings.exposed(
                at.key("value"),
                "this file contains a password, and a listener or `server.public_url` is not on loopback",
                "give the password as `env` or `file`, or use listeners on 127.0.0.1 and a localhost `public_url`",
            );
        }
        self.password(source, ANY_PLACE, at)
    }

    /// The secrets of a client. Moves the values out of the document. The second list has the errors of
    /// secret stores.
    fn client_secrets(
        &mut self,
        client: &mut documents::ClientSettings,
        at: &Location,
    ) -> (Vec<DeclaredSecret>, Vec<String>) {
        let single = client.client_secret.iter_mut().map(|secret| (at.key("client_secret"), secret));
        let several = client.client_secrets.iter_mut().enumerate();
        let several = several.map(|(index, secret)| (at.item("client_secrets", index), secret));
        let (mut secrets, mut unread) = (Vec::new(), Vec::new());
        for (at, secret) in single.chain(several) {
            let documents::SecretSource {
                value,
                env,
                file,
                store,
                path,
                key,
                hash,
                expires: expires_at,
                previous_for,
            } = std::mem::take(secret);
            if previous_for.is_some() && env.is_none() && file.is_none() && store.is_none() {
                let problem =
                    "`previous_for` works only for a secret in a file, a variable or a secret store";
                self.findings.error(
                    at.key("previous_for"),
                    problem,
                    "remove it, or give the secret as `env`, `file` or `store`",
                );
            }
            let source = PasswordSource { value, env, file, hash };
            let is_elsewhere = source != PasswordSource::default();
            let Ok(reference) = self.reference((store, path, key), &at) else { continue };
            match reference {
                None => {
                    let password = self.password(source, CLIENT_SECRET, &at);
                    secrets.extend(password.map(|password| DeclaredSecret {
                        password,
                        expires_at,
                        previous_for,
                        stored: None,
                    }));
                }
                Some(_) if is_elsewhere => {
                    let hint = format!("set exactly one of {CLIENT_SECRET}");
                    self.findings.error(at.clone(), SEVERAL_PLACES, hint);
                }
                Some(reference) => match self.stored_secret(&reference, &at) {
                    Some(Ok((value, stored))) => secrets.push(DeclaredSecret {
                        password: DeclaredPassword::Value(value),
                        expires_at,
                        previous_for,
                        stored: Some(stored),
                    }),
                    Some(Err(why)) => unread.push(why),
                    None => {}
                },
            }
        }
        (secrets, unread)
    }

    /// The secret store for rotations must be declared in the settings. The rules for clients check the rest.
    fn check_rotation(&mut self, client: &documents::ClientSettings, at: &Location) {
        let Some(Ok(place)) = client.rotate.as_ref().map(|rotate| rotate.into.parse::<SecretPlace>()) else {
            return;
        };
        let stores = self.file_reader.environment.secret_stores();
        if let Err(why) = stores.check_place(&place.store, &place.path, place.key.is_some()) {
            let hint = "name a store of `secret_stores` and a path in it: `STORE:PATH#KEY`";
            self.findings.error(at.key("rotate").key("into"), why, hint);
        }
    }

    /// Reads and checks a secret of a client or a password, from one of the `allowed` places.
    fn password(&mut self, source: PasswordSource, allowed: &str, at: &Location) -> Option<DeclaredPassword> {
        let file = source.file.clone();
        let password = self.secret(source, allowed, at)?;
        match (&password, file) {
            (DeclaredPassword::Value(value), Some(path)) if value.expose().contains('\n') => {
                check::secret::refuse_newline(value, &path, at.key("file"), &mut self.findings);
            }
            _ => check::secret::check_secret(&password, at, &mut self.findings),
        }
        if self.inspected_at.is_some() {
            check::effects::check_placeholder(&password, at, &mut self.findings);
        }
        Some(password)
    }

    fn first_key(&mut self, source: documents::KeySource, at: &Location) -> Option<Secret> {
        let documents::KeySource { file, env, value } = source;
        let source = PasswordSource { value, env, file, hash: None };
        match self.secret(source, "`file`, `env` or `value`", at)? {
            DeclaredPassword::Value(key) => Some(key),
            DeclaredPassword::Hash(_) => None,
        }
    }

    /// The content of the only place that is set, which must be one of those in `allowed`.
    fn secret(&mut self, source: PasswordSource, allowed: &str, at: &Location) -> Option<DeclaredPassword> {
        let PasswordSource { value, env, file, hash } = source;
        let text = match (value, hash, env, file) {
            (Some(value), None, None, None) => value,
            (None, Some(hash), None, None) => return Some(DeclaredPassword::Hash(hash.expose().to_owned())),
            (None, None, Some(name), None) => {
                self.findings.found(self.file_reader.variable(&name), at.key("env"))?
            }
            (None, None, None, Some(path)) => {
                let at = at.key("file");
                let folder = self.locations.folder(&at);
                let read = self.file_reader.referenced(folder, &path, Holds::Secret);
                let FileText { text, is_exposed } = self.findings.found(read, at.clone())?;
                if is_exposed {
                    check::files::warn_of(&folder.join(path), at, &mut self.findings);
                }
                without_last_newline(&text)
            }
            (None, None, None, None) => {
                let problem = "the source of the value is missing";
                return self.findings.refuse(at.clone(), problem, format!("give {allowed}"));
            }
            _ => {
                let hint = format!("set exactly one of {allowed}");
                return self.findings.refuse(at.clone(), SEVERAL_PLACES, hint);
            }
        };
        Some(DeclaredPassword::Value(text.into_inner()))
    }

    /// Public keys. Keys in a separate file are moved into the document.
    fn public_keys(&mut self, jwks: &mut documents::Jwks, at: &Location) {
        #[derive(serde::Deserialize)]
        struct KeySetText {
            keys: Vec<documents::Jwk>,
        }
        let path = match (&jwks.keys, &jwks.file) {
            (Some(_), None) => return,
            (None, Some(path)) => path,
            (None, None) | (Some(_), Some(_)) => {
                let problem = "set exactly one source for the keys";
                return self.findings.error(at.clone(), problem, "set either `file` or `keys`");
            }
        };
        let folder = self.locations.folder(at);
        let read = self.file_reader.referenced(folder, path, Holds::Public);
        let Some(FileText { text, .. }) = self.findings.found(read, at.key("file")) else { return };
        let source = SourceFile::new(folder.join(path), text);
        match yaml::parse::<KeySetText>(&source) {
            Ok(set) => *jwks = documents::Jwks { keys: Some(set.keys), file: None },
            Err(fault) => {
                let problem = format!("the file is not a JWK set: {}", fault.brief());
                self.findings.error(at.key("file"), problem, "write `{\"keys\": […]}` (RFC 7517 §5)");
            }
        }
    }

    /// Authorities for client certificates. If they are in a separate file, they are moved into the document.
    fn client_ca(&mut self, authorities: &mut documents::ClientCaSettings, at: &Location) {
        let path = match (&authorities.pem, &authorities.file) {
            (Some(_), None) => return,
            (None, Some(path)) => path,
            (None, None) | (Some(_), Some(_)) => {
                let problem = "set exactly one source for the certificate authorities";
                return self.findings.error(at.clone(), problem, "set either `file` or `pem`");
            }
        };
        let read = self.file_reader.referenced(self.locations.folder(at), path, Holds::Public);
        let Some(FileText { text, .. }) = self.findings.found(read, at.key("file")) else { return };
        *authorities = documents::ClientCaSettings { pem: Some(text.expose().to_owned()), file: None };
    }

    /// A picture. If it is in a separate file, it is moved into the document.
    fn logo(&mut self, logo: LogoSettings, at: &Location) -> Option<LogoSettings> {
        match (&logo.file, &logo.data, &logo.hash) {
            (None, Some(_), None) => Some(logo),
            (Some(path), None, None) => {
                let at = at.key("file");
                let folder = self.locations.folder(&at);
                let read = self.file_reader.referenced(folder, path, Holds::Image);
                let FileText { text, .. } = self.findings.found(read, at)?;
                Some(LogoSettings { data: Some(text.expose().to_owned()), ..logo })
            }
            _ => {
                let problem = "set exactly one source for the picture";
                self.findings.refuse(at.clone(), problem, "set either `file` or `data`")
            }
        }
    }
}

/// Editors and `echo` end a file with a newline that is not part of the secret.
fn without_last_newline(text: &FileSecret) -> FileSecret {
    let text = text.expose();
    let stripped = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n'));
    FileSecret::new(stripped.unwrap_or(text).to_owned())
}
