//! The authorities of client certificates in a separate PEM file. It is read again without a restart, and a
//! request uses the last reading.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use keys::sha256;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;

use super::tls::{load, roots};
use super::{ClientAuthorities, ReadTlsFile, TlsError};

/// The file and its content at the last reading. Without a file there are no authorities.
#[derive(Debug)]
pub(crate) struct AuthoritiesFile {
    path: Option<PathBuf>,
    read: ReadTlsFile,
    current: RwLock<CurrentAuthorities>,
}

#[derive(Debug)]
struct CurrentAuthorities {
    authorities: Arc<ClientAuthorities>,
    /// The digest of the file's bytes, which shows whether they have changed.
    content: Option<[u8; 32]>,
}

impl AuthoritiesFile {
    pub(crate) fn open(path: Option<PathBuf>, read: ReadTlsFile) -> Result<Self, TlsError> {
        let current = RwLock::new(CurrentAuthorities::read(path.as_deref(), read)?);
        Ok(Self { path, read, current })
    }

    /// Reads the file again. Returns whether it has changed. If it cannot be used, the last good authorities
    /// stay in use.
    pub(crate) fn reload(&self) -> Result<bool, TlsError> {
        let read = CurrentAuthorities::read(self.path.as_deref(), self.read)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = current.content != read.content;
        if changed {
            *current = read;
        }
        Ok(changed)
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(crate) fn authorities(&self) -> Arc<ClientAuthorities> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).authorities)
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
        let authorities = Arc::new(ClientAuthorities::new(trusted, &default_provider()));
        Ok(Self { authorities, content })
    }
}
