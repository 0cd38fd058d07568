//! `latchkey dev-cert`: creates a self-signed certificate for a listener on this machine. No browser or
//! program trusts it by default, and nothing but a developer's machine should.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use values::Timestamp;
use zeroize::Zeroizing;

use crate::new_files;
use crate::process::print;
use server::clock;

const DAY: u64 = 86_400;
/// The names and addresses of every development machine.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Writes both files, or neither.
pub(crate) fn run(certificate: &Path, key: &Path, names: &[String]) -> anyhow::Result<ExitCode> {
    new_files::refuse_existing([certificate, key], "")?;
    let (certificate_pem, key_pem) =
        make(names, clock::now()).context("cannot create a certificate for these names")?;
    new_files::create((key, &key_pem, 0o600), (certificate, &certificate_pem, 0o644))?;
    print(&format!(
        "wrote {} and {} for {}. The certificate is valid for one year. It is self-signed, so clients do not trust it by default\n",
        certificate.display(),
        key.display(),
        all(names).join(", ")
    ))
}

fn make(names: &[String], now: Timestamp) -> Result<(String, Zeroizing<String>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new(all(names))?;
    parameters.distinguished_name.push(DnType::CommonName, "Latchkey development certificate");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Valid from midnight, for clocks that are behind.
    parameters.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.seconds() / DAY * DAY);
    parameters.not_after = parameters.not_before + Duration::from_secs(365 * DAY);
    let certificate = parameters.self_signed(&key)?;
    Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
}

fn all(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = NAMES.map(str::to_owned).to_vec();
    all.extend(names.iter().filter(|name| !NAMES.contains(&name.as_str())).cloned());
    all
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use settings::files;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("a/cert.pem"), folder.path().join("a/key.pem"));
        (folder, certificate, key)
    }

    #[test]
    fn key_file_is_private_and_listener_accepts_the_pair() {
        let (_folder, certificate, key) = folder();
        run(&certificate, &key, &["dev.example".to_owned()]).unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let tls_files =
            gateway::TlsFiles { certificate, private_key: key, client_ca: None, client_certificates: None };
        let readers =
            gateway::TlsReaders { certificates: files::read_public, private_key: files::read_secret };
        assert!(gateway::CurrentTls::open(tls_files, readers).is_ok());
    }

    #[test]
    fn existing_files_are_not_overwritten() {
        for existing in ["cert.pem", "key.pem"] {
            let (folder, certificate, key) = folder();
            std::fs::create_dir(folder.path().join("a")).unwrap();
            std::fs::write(folder.path().join("a").join(existing), "kept").unwrap();
            assert!(run(&certificate, &key, &[]).is_err());
            let files: Vec<_> = std::fs::read_dir(folder.path().join("a")).unwrap().collect();
            assert_eq!(files.len(), 1, "{existing}");
            assert_eq!(std::fs::read_to_string(folder.path().join("a").join(existing)).unwrap(), "kept");
        }
    }

    #[test]
    fn invalid_name_is_refused() {
        let (_folder, certificate, key) = folder();
        assert!(run(&certificate, &key, &["\u{e9}".to_owned()]).is_err());
        assert!(!certificate.exists() && !key.exists());
    }
}
