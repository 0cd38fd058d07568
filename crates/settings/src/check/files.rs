//! The rules for files that settings name and that are opened later. If a file with a secret already exists,
//! it must be a regular file that no other user may write. If every user may read it, there is a warning.

use std::fs;
use std::path::Path;

use url::form_urlencoded;

use super::super::{
    file_faults::{is_private, refusal},
    findings::{Finding, Findings, Location},
    reading::Reading,
    resolved::{SealingKeySource, SealingKeys, StorageLocation, Token},
    sections::Server,
};
use crate::files::{Holds, judge, others_may_read};

const EXPOSED: &str = "every user of this machine can read this file, and it contains a secret";

impl Reading<'_> {
    /// Checks the files in the server's own sections.
    pub(crate) fn check_files(
        &mut self,
        server: &Server,
        storage: Option<&StorageLocation>,
        keys: Option<&SealingKeys>,
    ) {
        if let (Some(storage), Some(keys)) = (storage, keys) {
            self.check_folders(server, storage, keys);
        }
        for (index, listener) in server.listeners.iter().enumerate() {
            if let Some(tls) = &listener.tls {
                let at = Location::section("server").item("listeners", index).key("tls").key("private_key");
                self.check_secret_file(&tls.private_key, at);
            }
        }
        if let Some(keys) = keys {
            self.check_key_files(keys);
        }
        if let Some(storage) = storage {
            self.check_storage(storage, &Location::section("storage"));
        }
    }

    /// Warns if database and sealing key are in one folder. A server that is only reachable from this machine
    /// may do so, as the sample does.
    fn check_folders(&mut self, server: &Server, storage: &StorageLocation, keys: &SealingKeys) {
        if let (StorageLocation::Sqlite(database), SealingKeySource::File(key)) = (storage, &keys.writing)
            && database.parent() == key.parent()
            && server.is_beyond_loopback()
        {
            self.findings.warning(
                Location::section("keys").key("sealing_key"),
                "the sealing key is in the same folder as the database, so anyone who copies the folder can \
                    decrypt every key",
                "in production keep the key in another folder, or in a variable: `sealing_key: { env: NAME }`",
            );
        }
    }

    fn check_key_files(&mut self, keys: &SealingKeys) {
        let at_keys = Location::section("keys");
        let former = keys.former.iter().enumerate();
        let former = former.map(|(index, key)| (key, at_keys.item("former_sealing_keys", index)));
        for (key, at) in std::iter::once((&keys.writing, at_keys.key("sealing_key"))).chain(former) {
            match key {
                SealingKeySource::File(path) => self.check_secret_file(path, at.key("file")),
                SealingKeySource::Vault { token: Token::File(path), .. } => {
                    self.check_secret_file(path, at.key("vault").key("token").key("file"));
                }
                SealingKeySource::Vault { .. } | SealingKeySource::Text(_) | SealingKeySource::AwsKms(_) => {}
            }
        }
    }

    fn check_storage(&mut self, storage: &StorageLocation, at: &Location) {
        match storage {
            StorageLocation::Sqlite(path) => {
                if fs::metadata(path).is_ok_and(|metadata| others_may_read(&metadata)) {
                    let problem = "every user of this machine can read the database";
                    let hint = "run `chmod o-rwx` on it and on the files next to it";
                    self.findings.warning(at.key("url"), problem, hint);
                }
            }
            StorageLocation::Postgres(urls) => {
                for (key, url) in urls.by_key() {
                    // A URL with several hosts does not conform to RFC 3986, so it is split by hand.
                    let (_, query) = url.expose().split_once('?').unwrap_or_default();
                    let pairs = form_urlencoded::parse(query.as_bytes());
                    for (_, path) in pairs.filter(|(name, _)| matches!(&**name, "sslkey" | "ssl-key")) {
                        self.check_secret_file(Path::new(path.as_ref()), at.key(key));
                    }
                }
            }
        }
    }

    /// A file that does not exist yet may be created later, and is checked again when it is opened.
    pub(crate) fn check_secret_file(&mut self, path: &Path, at: Location) {
        let Ok(metadata) = fs::metadata(path) else { return };
        if let Err(error) = judge(&metadata, Holds::Secret) {
            self.findings.errors.push(Finding { at, explanation: refusal(&error, path), is_of_value: true });
        } else if others_may_read(&metadata) && !is_private(path, self.file_reader.environment) {
            warn_of(path, at, &mut self.findings);
        }
    }
}

/// Warns of a file with a secret that every user may read.
pub(crate) fn warn_of(path: &Path, at: Location, findings: &mut Findings) {
    findings.warning(at, EXPOSED, format!("run `chmod o-rwx {}`", path.display()));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::super::super::{Loaded, read};
    use super::super::test_folder::Folder;
    use super::*;
    use crate::Environment;
    use crate::file_faults::PRIVATE_FOLDERS;

    impl Folder {
        /// Loads the settings, or returns all errors with paths relative to this folder.
        fn load(&self, settings: &str) -> Result<Loaded, String> {
            self.write("config.yaml", 0o666, settings);
            let credentials = self.path("credentials");
            let environment = Environment::from([("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())]);
            read(&self.path("config.yaml"), &environment).map_err(|error| self.faults(&error))
        }

        fn warnings(&self, settings: &str) -> Vec<String> {
            let loaded = self.load(settings).unwrap();
            let warnings = loaded.warnings.iter().map(|warning| self.relative(&warning.brief()));
            warnings.filter(|warning| warning.contains("every user")).collect()
        }
    }

    fn client(file: &str) -> String {
        format!("tenants: {{ acme: {{ clients: {{ web: {{ client_secret: {{ file: {file} }} }} }} }} }}")
    }

    // [V13 13.3.2], [found 18]
    #[test]
    fn modes_of_all_secret_files_are_checked() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
        let vault = "vault: { address: 'https://vault.example', transit_key: k, token: { file: s } }";
        let first_key = "tenants: { a: { signing: { algorithm: ES256, first_key: { file: s } } } }";
        let tls =
            "server: { listeners: [{ address: '127.0.0.1:0', tls: { certificate: c, private_key: s } }] }";
        for (settings, text, at) in [
            (client("s").as_str(), "hunter2", "tenants.acme.clients.web.client_secret.file"),
            (first_key, &key, "tenants.a.signing.first_key.file"),
            ("admin: { users: { a: { password: { file: s } } } }", "hunter2", "admin.users.a.password.file"),
            ("keys: { sealing_key: { file: s } }", "x", "keys.sealing_key.file"),
            (&format!("keys: {{ sealing_key: {{ {vault} }} }}"), "x", "keys.sealing_key.vault.token.file"),
            ("keys: { former_sealing_keys: [{ file: s }] }", "x", "keys.former_sealing_keys[0].file"),
            (tls, "x", "server.listeners[0].tls.private_key"),
        ] {
            let folder = Folder::new();
            let at = format!("1:{}: {at}", settings.find(" s }").unwrap() + 2);
            for mode in [0o660, 0o606] {
                folder.write("s", mode, text);
                let expected = format!(
                    "config.yaml:{at}: group or others can write to this file, so they can replace the secret in it (its mode is {mode:04o}); run `chmod go-w s`"
                );
                assert_eq!(folder.load(settings).unwrap_err(), expected);
            }
            folder.write("s", 0o644, text);
            let expected = format!("config.yaml:{at}: {EXPOSED}; run `chmod o-rwx s`");
            assert_eq!(folder.warnings(settings), [expected]);
            folder.write("s", 0o640, text);
            assert_eq!(folder.warnings(settings), [""; 0]);
        }
    }

    // [found 18]
    #[test]
    fn world_readable_secrets_in_system_folders_are_accepted() {
        let folder = Folder::new();
        folder.write("credentials/inside", 0o644, "hunter2");
        folder.write("outside", 0o644, "hunter2");
        symlink(folder.path("outside"), folder.path("credentials/link-to-outside")).unwrap();
        symlink(folder.path("credentials/inside"), folder.path("link-to-inside")).unwrap();
        for (file, warnings) in [
            ("credentials/inside", 0),
            ("link-to-inside", 0),
            ("credentials/link-to-outside", 1),
            ("credentials/../outside", 1),
            ("outside", 1),
        ] {
            assert_eq!(folder.warnings(&client(file)).len(), warnings, "{file}");
        }
        folder.write("credentials/inside", 0o664, "hunter2");
        assert!(folder.load(&client("link-to-inside")).is_err(), "what may be written is refused everywhere");
        assert_eq!(PRIVATE_FOLDERS, ["/run/secrets", "/run/credentials"]);
    }

    // [found 16]
    #[test]
    fn pipe_is_refused_without_waiting() {
        let folder = Folder::new();
        fs::create_dir(folder.path("more")).unwrap();
        for pipe in ["pipe", "more/acme.yaml"] {
            assert!(Command::new("mkfifo").arg(folder.path(pipe)).status().unwrap().success());
        }
        let problem = "this is a pipe, not a regular file; name a regular file";
        for (settings, at) in [
            (client("pipe"), "tenants.acme.clients.web.client_secret.file"),
            ("keys: { sealing_key: { file: pipe } }".to_owned(), "keys.sealing_key.file"),
            ("tenants_dir: more".to_owned(), "more/acme.yaml"),
        ] {
            let refused = folder.load(&settings).unwrap_err();
            assert!(refused.ends_with(&format!("{at}: {problem}")), "{refused}");
        }
        let error = read(&folder.path("pipe"), &Environment::default()).unwrap_err();
        assert_eq!(folder.relative(&error.faults[0].brief()), format!("pipe: {problem}"));
    }

    #[test]
    fn secret_file_has_at_most_64_kib() {
        let folder = Folder::new();
        folder.write("s", 0o600, &"x".repeat(65_537));
        let refused = folder.load(&client("s")).unwrap_err();
        assert!(refused.contains("client_secret.file: the file is larger than 65536 bytes;"), "{refused}");
    }

    #[test]
    fn world_readable_database_causes_a_warning() {
        let folder = Folder::new();
        let settings = "storage: { url: 'sqlite://x/latchkey.db' }";
        for (mode, warnings) in [(0o600, 0), (0o640, 0), (0o644, 1)] {
            folder.write("x/latchkey.db", mode, "");
            assert_eq!(folder.warnings(settings).len(), warnings, "{mode:o}");
        }
    }
}
