//! The authorities of client certificates from a PEM file that can be reloaded without a restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keys::sha256;
use parking_lot::RwLock;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;

use super::tls::{load, roots};
use super::{CertificateAuthorities, ReadTlsFile, TlsError};

/// Without a path there are no authorities.
#[derive(Debug)]
pub(crate) struct AuthoritiesFile {
    path: Option<PathBuf>,
    read: ReadTlsFile,
    current: RwLock<CurrentAuthorities>,
}

#[derive(Debug)]
struct CurrentAuthorities {
    authorities: Arc<CertificateAuthorities>,
    /// A digest of the file, to notice changes.
    content: Option<[u8; 32]>,
}

impl AuthoritiesFile {
    pub(crate) fn open(path: Option<PathBuf>, read: ReadTlsFile) -> Result<Self, TlsError> {
        let current = RwLock::new(CurrentAuthorities::read(path.as_deref(), read)?);
        Ok(Self { path, read, current })
    }

    /// Reads the file again. Returns whether it has changed. If the file cannot be used, the
    /// previous authorities stay in use.
    pub(crate) fn reload(&self) -> Result<bool, TlsError> {
        let read = CurrentAuthorities::read(self.path.as_deref(), self.read)?;
        let mut current = self.current.write();
        let changed = current.content != read.content;
        if changed {
            *current = read;
        }
        Ok(changed)
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(crate) fn authorities(&self) -> Arc<CertificateAuthorities> {
        Arc::clone(&self.current.read().authorities)
    }
}

impl CurrentAuthorities {
    fn read(path: Option<&Path>, read: ReadTlsFile) -> Result<Self, TlsError> {
        let (mut trusted, mut content) = (RootCertStore::empty(), None);
        if let Some(path) = path {
            let pem = load(path, read)?;
            trusted = roots(path, &pem)?;
            content = Some(sha256(&pem));
        }
        let authorities = Arc::new(CertificateAuthorities::new(trusted, &default_provider()));
        Ok(Self { authorities, content })
    }
}
