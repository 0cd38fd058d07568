//! `latchkey dev-cert`: a self-signed certificate for a listener of this machine. No browser or program trusts it unless it is told to,
//! and nothing beyond a developer's machine should.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use protocol::Timestamp;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use zeroize::Zeroizing;

use super::print;
use crate::clock;
use crate::start_error::StartError;

/// The names that every development machine has.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// There is no certificate to go on with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevCertError {
    #[error("{} is there already, and is not written over; remove it, or name another file", .0.display())]
    Exists(PathBuf),
    #[error("{} cannot be written", .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
    #[error("no certificate can be made for these names")]
    Names(#[source] rcgen::Error),
}

/// Writes both files, or neither.
pub(crate) fn dev_cert(certificate: &Path, key: &Path, names: &[String]) -> Result<ExitCode, StartError> {
    for path in [certificate, key] {
        if path.exists() {
            return Err(DevCertError::Exists(path.to_owned()).into());
        }
    }
    let (certificate_pem, key_pem) = make(names, clock::now()).map_err(DevCertError::Names)?;
    write(key, &key_pem, 0o600)?;
    if let Err(error) = write(certificate, &certificate_pem, 0o644) {
        // A key without its certificate would stand in the way of the next try.
        let _ = std::fs::remove_file(key);
        return Err(error.into());
    }
    print(&format!(
        "wrote {} and {} for {}; valid for a year; self-signed, so no client trusts it by itself\n",
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
    let (year, month, day) = date(now);
    parameters.not_before = date_time_ymd(year, month, day);
    // Every month has a 28th.
    parameters.not_after = date_time_ymd(year + 1, month, day.min(28));
    let certificate = parameters.self_signed(&key)?;
    Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
}

fn all(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = NAMES.map(str::to_owned).to_vec();
    all.extend(names.iter().filter(|name| !NAMES.contains(&name.as_str())).cloned());
    all
}

fn date(now: Timestamp) -> (i32, u8, u8) {
    let text = now.to_rfc3339();
    let mut parts = text.split(['-', 'T']);
    let mut part = || parts.next().and_then(|part| part.parse::<u16>().ok()).unwrap_or(1);
    let (year, month, day) = (part(), part(), part());
    (year.into(), u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// The file takes its name when it is whole, and never another file's.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), DevCertError> {
    let unwritable = |error| DevCertError::Unwritable(path.to_owned(), error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let mut file = tempfile::Builder::new().prefix(".dev-cert-").tempfile_in(folder).map_err(unwritable)?;
    file.write_all(text.as_bytes()).map_err(unwritable)?;
    file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist_noclobber(path).map(drop).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => DevCertError::Exists(path.to_owned()),
        _ => unwritable(error.error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("a/cert.pem"), folder.path().join("a/key.pem"));
        (folder, certificate, key)
    }

    #[test]
    fn the_key_is_the_owners_alone_and_a_listener_takes_both() {
        let (_folder, certificate, key) = folder();
        dev_cert(&certificate, &key, &["dev.example".to_owned()]).unwrap();
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let tls_files = gateway::TlsFiles { certificate, private_key: key, client_ca: None };
        let readers =
            gateway::TlsReaders { certificates: files::read_public, private_key: files::read_secret };
        assert!(gateway::Tls::open(tls_files, readers).is_ok());
    }

    #[test]
    fn nothing_is_ever_written_over() {
        for existing in ["cert.pem", "key.pem"] {
            let (folder, certificate, key) = folder();
            std::fs::create_dir(folder.path().join("a")).unwrap();
            std::fs::write(folder.path().join("a").join(existing), "kept").unwrap();
            assert!(dev_cert(&certificate, &key, &[]).is_err());
            let files: Vec<_> = std::fs::read_dir(folder.path().join("a")).unwrap().collect();
            assert_eq!(files.len(), 1, "{existing}");
            assert_eq!(std::fs::read_to_string(folder.path().join("a").join(existing)).unwrap(), "kept");
        }
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let (_folder, certificate, key) = folder();
        assert!(dev_cert(&certificate, &key, &["\u{e9}".to_owned()]).is_err());
        assert!(!certificate.exists() && !key.exists());
    }

    #[test]
    fn dates_are_read_from_the_clock() {
        assert_eq!(date(Timestamp::from_seconds(1_767_225_600)), (2026, 1, 1));
    }
}
