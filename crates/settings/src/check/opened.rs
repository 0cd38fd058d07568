//! Files that a start opens after it has read the settings: sealing keys, and certificates with their keys.
//! `check` reads them to find the errors of a start.

use std::error::Error as _;
use std::io::{Error, ErrorKind};
use std::path::Path;

use gateway::{CertificateHeader, CurrentTls, TlsError, TlsReaders};
use keys::SealingKey;
use values::{Secret, Timestamp};

use super::super::{
    findings::Location,
    reading::Reading,
    resolved::{SealingKeySource, SealingKeys, StorageLocation, Token},
    sections::{self, AuditOutput, Server},
};
use crate::files::{self, Holds};

const DAY: u64 = 86_400;
/// Warns this many days before a certificate expires.
const SOON: u64 = 14;
const HOLDS_CERTIFICATES: &str = "name a file that contains PEM certificates";
const NEW_KEY: &str = "create a key with `latchkey key new-sealing-key`: 32 bytes in base64, not hexadecimal";

impl Reading<'_> {
    /// Checks the form of each sealing key. Keys in key services are not checked.
    pub(crate) fn check_sealing_keys(&mut self, keys: &SealingKeys, storage: &StorageLocation) {
        let at = Location::section("keys");
        let former = keys.former.iter().enumerate();
        let former = former.map(|(index, key)| (key, at.item("former_sealing_keys", index), true));
        for (key, at, is_former) in
            std::iter::once((&keys.writing, at.key("sealing_key"), false)).chain(former)
        {
            match key {
                SealingKeySource::Text(text) => {
                    self.check_form(&text.clone().into_inner(), at.key("env"));
                }
                SealingKeySource::File(path) => {
                    // The first start with SQLite creates the file. With PostgreSQL each replica would create
                    // a different key.
                    let may_be_missing = !is_former && matches!(storage, StorageLocation::Sqlite(_));
                    self.check_key_file(path, at.key("file"), is_former, may_be_missing);
                }
                SealingKeySource::Vault { setting, token } => {
                    if let Token::File(path) = token {
                        self.check_readable(path, at.key("vault").key("token").key("file"), Holds::Secret);
                    }
                    if let Some(path) = &setting.ca {
                        self.check_readable(path, at.key("vault").key("ca"), Holds::Public);
                    }
                }
                SealingKeySource::AwsKms(_) => {}
            }
        }
    }

    fn check_key_file(&mut self, path: &Path, at: Location, is_former: bool, may_be_missing: bool) {
        match files::read_secret_text(path) {
            Ok(mut text) => self.check_form(&Secret::new(std::mem::take(&mut text)), at),
            Err(error) if error.kind() == ErrorKind::NotFound && may_be_missing => {}
            Err(error) if error.kind() == ErrorKind::NotFound && is_former => {
                let problem = "this file does not exist, so Latchkey cannot decrypt what this key sealed";
                self.findings.warning(
                    at,
                    problem,
                    "restore the key file, or remove the entry after `latchkey key reseal`",
                );
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let hint = format!("{NEW_KEY}; give every replica the same key");
                self.findings.error(
                    at,
                    "this file does not exist, and Latchkey does not create it when the store is PostgreSQL",
                    hint,
                );
            }
            Err(error) => self.refuse_file(&error, at),
        }
    }

    fn check_form(&mut self, text: &Secret, at: Location) {
        if let Err(error) = SealingKey::from_base64(text) {
            self.findings.error(at, error.to_string(), NEW_KEY);
        }
    }

    fn check_readable(&mut self, path: &Path, at: Location, holds: Holds) {
        if let Err(error) = files::read(path, holds) {
            self.refuse_file(&error.into(), at);
        }
    }

    /// Errors that the rules for files have already found are not repeated.
    fn refuse_file(&mut self, error: &Error, at: Location) {
        if self.findings.errors.iter().any(|finding| finding.at.path == at.path) {
            return;
        }
        let (problem, hint) = match error.kind() {
            ErrorKind::NotFound => ("this file does not exist".to_owned(), "create it, or correct the path"),
            ErrorKind::PermissionDenied => (
                "this program has no permission to read this file".to_owned(),
                "give this user read permission",
            ),
            _ => {
                (format!("Latchkey cannot use this file: {error}"), "correct the file, or name another file")
            }
        };
        self.findings.error(at, problem, hint);
    }

    /// Checks that the audit file can be created. Only a warning, because a start does not fail: the stream
    /// waits for the file. A path without a folder is relative to the working directory.
    pub(crate) fn check_audit(&mut self, server: &Server) {
        if let Some(AuditOutput::File(path)) = &server.audit.stream
            && !path.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
        {
            let at = Location::section("server").key("audit").key("stream").key("file");
            let problem = "the folder of this file does not exist";
            self.findings.error(at, problem, "create the folder, or name another file");
        }
    }

    /// Checks that the certificate and key of each https listener can be used, and that the authorities for
    /// client certificates can be used.
    pub(crate) fn check_certificates(&mut self, server: &Server, now: Timestamp) {
        for (index, listener) in server.listeners.iter().enumerate() {
            if let Some(tls) = &listener.tls {
                let at = Location::section("server").item("listeners", index).key("tls");
                self.check_certificate(tls, &at, now);
            }
            if let Some(header) = listener.certificate_header() {
                let at = Location::section("server").item("listeners", index).key("trusted_proxies");
                self.check_authorities(header, at.key("client_certificate").key("client_ca"));
            }
        }
    }

    /// Checks the authorities for a proxy's header.
    fn check_authorities(&mut self, header: &sections::ClientCertificateHeader, at: Location) {
        // The rules for the settings report an invalid name.
        let Ok(name) = CertificateHeader::name(&header.header) else { return };
        let path = header.client_ca.as_deref();
        match CertificateHeader::open(name, header.format, path, files::read_public) {
            Ok(_) => {}
            Err(TlsError::Unreadable { source, .. }) => self.refuse_file(&source, at),
            Err(error) => self.findings.error(at, problem(&error), HOLDS_CERTIFICATES),
        }
    }

    fn check_certificate(&mut self, tls: &sections::Tls, at: &Location, now: Timestamp) {
        let key_of = |path: &Path| match () {
            () if path == tls.certificate => at.key("certificate"),
            () if path == tls.private_key => at.key("private_key"),
            () => at.key("client_ca"),
        };
        let readers = TlsReaders { certificates: files::read_public, private_key: files::read_secret };
        let opened = match CurrentTls::open(tls.files(), readers) {
            Ok(opened) => opened,
            Err(TlsError::Unreadable { path, source }) => {
                self.refuse_file(&source, key_of(&path));
                // The key is read after the certificate. Without this check, an error of the key would only
                // be found in the next run.
                if path == tls.certificate {
                    self.check_readable(&tls.private_key, at.key("private_key"), Holds::Secret);
                }
                return;
            }
            Err(error) => {
                let (at, hint) = match &error {
                    TlsError::NoCertificate(path) | TlsError::ClientCa { path, .. } => {
                        (key_of(path), HOLDS_CERTIFICATES)
                    }
                    TlsError::NoKey(path) => (key_of(path), "name a file that contains a PEM private key"),
                    TlsError::Unreadable { .. } | TlsError::Mismatch { .. } => {
                        (at.key("private_key"), "name a key and a certificate that belong together")
                    }
                };
                let problem = match error.source() {
                    Some(source) => format!("{}: {source}", problem(&error)),
                    None => problem(&error).to_owned(),
                };
                return self.findings.error(at, problem, hint);
            }
        };
        let Some(validity) = opened.validity() else { return };
        let at = at.key("certificate");
        let renew =
            "replace the certificate and its key; a running server reloads both files without a restart";
        if validity.not_after < now {
            let problem = format!("the certificate expired at {}", validity.not_after.to_rfc3339());
            self.findings.warning(at, problem, renew);
        } else if validity.not_before > now {
            let problem = format!("the certificate is not valid before {}", validity.not_before.to_rfc3339());
            self.findings.warning(
                at,
                problem,
                "wait, correct this machine's clock, or name another certificate",
            );
        } else if validity.not_after.seconds() - now.seconds() < SOON * DAY {
            let problem = format!("the certificate expires at {}", validity.not_after.to_rfc3339());
            self.findings.warning(at, problem, renew);
        }
    }
}

/// The error without paths, because the line shows them.
const fn problem(error: &TlsError) -> &'static str {
    match error {
        TlsError::Unreadable { .. } => "Latchkey cannot read the file",
        TlsError::NoCertificate(_) => {
            "the file contains no certificate; a certificate begins with -----BEGIN CERTIFICATE-----"
        }
        TlsError::NoKey(_) => {
            "the file contains no private key in PEM (PKCS#8, PKCS#1 or SEC1, without a passphrase)"
        }
        TlsError::ClientCa { .. } => {
            "the file contains a certificate that is not a valid certificate authority"
        }
        TlsError::Mismatch { .. } => {
            "this private key does not match the certificate, or its type is not supported"
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::super::super::{Environment, inspect, read};
    use super::super::test_folder::Folder;
    use super::*;

    impl Folder {
        fn write_private(&self, name: &str, text: &str) {
            self.write(name, 0o600, text);
        }

        /// Creates a certificate that is valid during this year, and its key.
        fn write_certificate(&self, name: &str, year: i32) {
            let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
            (parameters.not_before, parameters.not_after) =
                (date_time_ymd(year, 1, 1), date_time_ymd(year, 12, 31));
            let key = KeyPair::generate().unwrap();
            self.write_private(&format!("{name}.pem"), &parameters.self_signed(&key).unwrap().pem());
            self.write_private(&format!("{name}.key"), &key.serialize_pem());
        }

        /// Errors and warnings on `day`, such as the first of June 2026.
        fn found(&self, settings: &str, day: &str) -> (Vec<String>, Vec<String>) {
            self.write_private("config.yaml", settings);
            let now = Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).unwrap();
            let environment = Environment::from([("HEX", "6162"), ("KEY", GOOD)]);
            let found = inspect(&self.path("config.yaml"), &environment, now);
            let brief =
                |found: Vec<crate::Diagnostic>| found.iter().map(|one| self.relative(&one.brief())).collect();
            match found {
                Ok(loaded) => {
                    read(&self.path("config.yaml"), &environment).unwrap();
                    (Vec::new(), brief(loaded.warnings))
                }
                Err(error) => (brief(error.faults), Vec::new()),
            }
        }
    }

    const GOOD: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

    #[test]
    fn malformed_sealing_key_is_reported_but_not_shown() {
        let folder = Folder::new();
        folder.write_private("good", GOOD);
        folder.write_private("hex", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
        folder.write_private("short", "aGk=");
        let postgres = "storage: { url: 'postgres://db.example/x' }\n";
        for (settings, expected) in [
            ("keys: { sealing_key: { file: good } }".to_owned(), ""),
            ("keys: { sealing_key: { env: KEY } }".to_owned(), ""),
            ("keys: { sealing_key: { file: missing } }".to_owned(), ""),
            (
                "keys: { sealing_key: { file: hex } }".to_owned(),
                "config.yaml:1:30: keys.sealing_key.file: a sealing key is 32 bytes in base64, and this is base64 of 48 bytes; create a key with `latchkey key new-sealing-key`: 32 bytes in base64, not hexadecimal",
            ),
            (
                "keys: { sealing_key: { env: HEX } }".to_owned(),
                "config.yaml:1:29: keys.sealing_key.env: a sealing key is 32 bytes in base64, and this is base64 of 3 bytes",
            ),
            (
                "keys: { sealing_key: { file: good }, former_sealing_keys: [{ file: short }] }".to_owned(),
                "config.yaml:1:68: keys.former_sealing_keys[0].file: a sealing key is 32 bytes in base64, and this is base64 of 2 bytes",
            ),
            (
                format!("{postgres}keys: {{ sealing_key: {{ file: missing }} }}"),
                "config.yaml:2:30: keys.sealing_key.file: this file does not exist, and Latchkey does not create it when the store is PostgreSQL; create a key with `latchkey key new-sealing-key`: 32 bytes in base64, not hexadecimal",
            ),
        ] {
            let (errors, warnings) = folder.found(&settings, "2026-06-01");
            assert_eq!(errors.len(), usize::from(!expected.is_empty()), "{errors:?}");
            assert!(errors.iter().all(|error| error.starts_with(expected)), "{errors:?}");
            assert_eq!(warnings, [""; 0]);
        }
        let (errors, warnings) =
            folder.found("keys: { former_sealing_keys: [{ file: missing }] }", "2026-06-01");
        assert_eq!(errors, [""; 0]);
        assert!(
            warnings[0].contains("keys.former_sealing_keys[0].file: this file does not exist"),
            "{warnings:?}"
        );
    }

    #[test]
    fn missing_audit_folder_is_refused() {
        let folder = Folder::new();
        let found = |path: &str| {
            let settings = format!("server: {{ audit: {{ stream: {{ file: {path} }} }} }}");
            folder.found(&settings, "2026-06-01").0
        };
        assert_eq!(found("audit.jsonl"), [""; 0]);
        let expected = "config.yaml:1:36: server.audit.stream.file: the folder of this file does not exist; create the folder, or name another file";
        assert_eq!(found("none/audit.jsonl"), [expected]);
    }

    #[test]
    fn unusable_listener_certificates_are_reported() {
        let folder = Folder::new();
        folder.write_certificate("a", 2026);
        folder.write_certificate("b", 2026);
        folder.write_private("text", "no PEM");
        let settings = |certificate: &str, key: &str, more: &str| {
            format!(
                "server:\n  listeners:\n    - address: 127.0.0.1:0\n      tls: {{ certificate: {certificate}, private_key: {key}{more} }}\n"
            )
        };
        for (settings, expected) in [
            (settings("a.pem", "a.key", ""), &[][..]),
            (
                settings("a.pem", "b.key", ""),
                &[
                    "4:47",
                    "private_key: this private key does not match the certificate, or its type is not supported",
                ],
            ),
            (
                settings("text", "a.key", ""),
                &[
                    "4:27",
                    "certificate: the file contains no certificate; a certificate begins with -----BEGIN CERTIFICATE-----",
                ],
            ),
            (
                settings("a.pem", "text", ""),
                &[
                    "4:47",
                    "private_key: the file contains no private key in PEM (PKCS#8, PKCS#1 or SEC1, without a passphrase)",
                ],
            ),
            (
                settings("a.pem", "a.key", ", client_ca: text"),
                &[
                    "4:65",
                    "client_ca: the file contains no certificate; a certificate begins with -----BEGIN CERTIFICATE-----",
                ],
            ),
            (
                settings("no.pem", "no.key", ""),
                &[
                    "4:27",
                    "certificate: this file does not exist",
                    "4:48",
                    "private_key: this file does not exist",
                ],
            ),
        ] {
            let (errors, warnings) = folder.found(&settings, "2026-06-01");
            assert_eq!(errors.len(), expected.len() / 2, "{errors:?}");
            for (error, expected) in errors.iter().zip(expected.chunks(2)) {
                let begin = format!("config.yaml:{}: server.listeners[0].tls.{}", expected[0], expected[1]);
                assert!(error.starts_with(&begin), "{error}");
            }
            assert_eq!(warnings, [""; 0]);
        }
        let behind_proxy = |client_ca: &str| {
            format!(
                "server:\n  listeners:\n    - address: 127.0.0.1:0\n      trusted_proxies: {{ from: [127.0.0.1], header: forwarded, client_certificate: {{ header: Client-Cert, format: rfc9440, client_ca: {client_ca} }} }}\n"
            )
        };
        let no_certificate = "the file contains no certificate; a certificate begins with -----BEGIN CERTIFICATE-----; name a file that contains PEM certificates";
        for (client_ca, expected) in [
            ("a.pem", None),
            ("text", Some(no_certificate)),
            ("no.pem", Some("this file does not exist; create it, or correct the path")),
        ] {
            let (errors, _) = folder.found(&behind_proxy(client_ca), "2026-06-01");
            let key = "config.yaml:4:135: server.listeners[0].trusted_proxies.client_certificate.client_ca";
            let expected: Vec<_> = expected.map(|problem| format!("{key}: {problem}")).into_iter().collect();
            assert_eq!(errors, expected);
        }
        for (day, expected) in [
            ("2025-12-31", "the certificate is not valid before 2026-01-01T00:00:00Z"),
            ("2026-12-20", "the certificate expires at 2026-12-31T00:00:00Z"),
            ("2027-01-01", "the certificate expired at 2026-12-31T00:00:00Z"),
        ] {
            let (errors, warnings) = folder.found(&settings("a.pem", "a.key", ""), day);
            assert_eq!(errors, [""; 0]);
            let expected = format!("config.yaml:4:27: server.listeners[0].tls.certificate: {expected}");
            assert!(warnings[0].starts_with(&expected), "{warnings:?}");
        }
    }

    #[test]
    fn faults_of_files_and_rules_are_reported_together() {
        let folder = Folder::new();
        let settings = "keys: { sealing_key: { env: HEX } }
server: { default_tenant: nobody, listeners: [{ address: '0.0.0.0:1', tls: { certificate: a, private_key: b } }] }
admin: { users: { ann: { password: { value: x } } } }
tenants:
  acme:
    signing: { algorithm: HS256 }
    clients: { web: { client_secret: { env: UNSET } }, app: { client_secret: { file: none } } }
";
        let (errors, _) = folder.found(settings, "2026-06-01");
        for at in ["1:29", "2:27", "2:91", "2:107", "3:45", "6:27", "7:45", "7:86"] {
            let found = errors.iter().filter(|error| error.starts_with(&format!("config.yaml:{at}: ")));
            assert_eq!(found.count(), 1, "{at}: {errors:#?}");
        }
        assert_eq!(errors.len(), 8, "{errors:#?}");
        assert!(errors.iter().any(|error| error.contains("use one of RS256, ")), "{errors:#?}");
    }
}
