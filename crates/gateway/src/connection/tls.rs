//! TLS of a listener (RFC 8446, RFC 5246): its certificate, and client certificates if the listener
//! requests them. The files can be reloaded without a restart. Open connections keep the
//! certificates of their handshake.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::rt::time::timeout;
use administration::documents::schema::JsonSchema;
use keys::sha256;
use parking_lot::RwLock;
use protocol::{ClientCertificate, Validity};
use rustls::crypto::{CryptoProvider, aws_lc_rs::default_provider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;
use values::Timestamp;
use zeroize::Zeroizing;

use super::client_verifier::AnyCertificate;
use super::deadlines::HEAD;
use super::validity::validity_of;
use super::{CertificateAuthorities, Socket, WriteDeadlineSocket};

/// PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, followed by intermediate certificates.
    pub certificate: PathBuf,
    /// PKCS#8, PKCS#1 or SEC1.
    pub private_key: PathBuf,
    /// The authorities of client certificates.
    pub client_ca: Option<PathBuf>,
    /// `None` if the listener requests no client certificates.
    pub client_certificates: Option<CertificateRequests>,
}

/// What a listener requests from clients in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ClientCertificates")]
pub enum CertificateRequests {
    /// A certificate from any issuer, or none.
    Optional,
    /// A certificate from an authority in `client_ca`. A client without a certificate cannot connect.
    Required,
}

pub type ReadTlsFile = fn(&Path) -> io::Result<Zeroizing<Vec<u8>>>;

/// Functions that read the files.
#[derive(Clone, Copy, Debug)]
pub struct TlsReaders {
    /// For certificates, which are public.
    pub certificates: ReadTlsFile,
    /// For private keys, whose files must not be readable by others.
    pub private_key: ReadTlsFile,
}

/// The current TLS configuration. Clones share it, so that a reload takes effect in all of them.
#[derive(Clone)]
pub struct CurrentTls(Arc<TlsVersions>);

struct TlsVersions {
    files: TlsFiles,
    readers: TlsReaders,
    current: RwLock<Current>,
}

#[derive(Clone)]
struct Current {
    config: Arc<ServerConfig>,
    /// A digest of the files, to notice changes.
    content: [u8; 32],
    /// The validity of the server's certificate. `None` if it cannot be read.
    validity: Option<Validity>,
    /// `None` if the listener requests no client certificates.
    authorities: Option<Arc<CertificateAuthorities>>,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}", .path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} contains no certificate; a certificate begins with -----BEGIN CERTIFICATE-----", .0.display())]
    NoCertificate(PathBuf),
    #[error("{} contains no private key in PEM (PKCS#8, PKCS#1 or SEC1, without a passphrase)", .0.display())]
    NoKey(PathBuf),
    #[error("{} contains a certificate that is not a valid certificate authority: {reason}", .path.display())]
    ClientCa { path: PathBuf, reason: String },
    /// The key does not belong to the certificate, or its type is not supported.
    #[error("{} does not match the certificate {}, or its key type is not supported", .key.display(), .certificate.display())]
    Mismatch {
        certificate: PathBuf,
        key: PathBuf,
        #[source]
        source: rustls::Error,
    },
}

impl CurrentTls {
    /// # Errors [`TlsError`] with the name of the file.
    pub fn open(files: TlsFiles, readers: TlsReaders) -> Result<Self, TlsError> {
        let current = RwLock::new(read(&files, readers)?);
        Ok(Self(Arc::new(TlsVersions { files, readers, current })))
    }

    /// Reads the files again. Returns whether they have changed. If they cannot be used, the
    /// previous ones stay in use.
    ///
    /// # Errors [`TlsError`], as in [`CurrentTls::open`].
    pub fn reload(&self) -> Result<bool, TlsError> {
        let read = read(&self.0.files, self.0.readers)?;
        let mut current = self.0.current.write();
        let changed = current.content != read.content;
        if changed {
            *current = read;
        }
        Ok(changed)
    }

    #[must_use]
    pub fn files(&self) -> &TlsFiles {
        &self.0.files
    }

    /// The validity of the server's certificate. `None` if it cannot be read.
    #[must_use]
    pub fn validity(&self) -> Option<Validity> {
        self.0.current.read().validity
    }

    /// `None` if the listener requests no client certificates.
    pub(crate) fn client_authorities(&self) -> Option<Arc<CertificateAuthorities>> {
        self.0.current.read().authorities.clone()
    }

    /// The handshake must be complete within the time of a head, because until then the client
    /// costs memory and has proven nothing. A resumed session keeps the client certificate of its
    /// first handshake (RFC 8705 §6.2). Its chain is verified again.
    pub(crate) async fn accept(
        &self,
        socket: WriteDeadlineSocket,
        now: impl FnOnce() -> Timestamp,
    ) -> io::Result<(Socket, Option<Arc<ClientCertificate>>)> {
        let Current { config, authorities, .. } = self.0.current.read().clone();
        let shaken = timeout(HEAD, TlsAcceptor::from(config).accept(socket)).await;
        let stream = shaken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let presented = stream.get_ref().1.peer_certificates();
        let certificate = authorities
            .zip(presented)
            .and_then(|(authorities, presented)| authorities.examine(presented, now()));
        Ok((Socket::Right(Box::new(stream)), certificate.map(Arc::new)))
    }
}

impl fmt::Debug for CurrentTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

fn read(files: &TlsFiles, readers: TlsReaders) -> Result<Current, TlsError> {
    let provider = Arc::new(default_provider());
    let certificate = load(&files.certificate, readers.certificates)?;
    let key = load(&files.private_key, readers.private_key)?;
    let authorities = files.client_ca.as_deref().map(|path| load(path, readers.certificates)).transpose()?;
    let mut content = Vec::with_capacity(96);
    for part in [Some(&certificate), Some(&key), authorities.as_ref()].into_iter().flatten() {
        content.extend_from_slice(&sha256(part));
    }
    let chain = certificates(&files.certificate, &certificate)?;
    let validity = chain.first().and_then(|certificate| validity_of(certificate));
    let parsed = PrivateKeyDer::from_pem_slice(&key);
    let parsed = parsed.map_err(|_| TlsError::NoKey(files.private_key.clone()))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|source| mismatch(files, source))?;
    let roots = match (&files.client_ca, &authorities) {
        (Some(path), Some(pem)) => roots(path, pem)?,
        _ => RootCertStore::empty(),
    };
    let authorities =
        files.client_certificates.map(|_| CertificateAuthorities::new(roots.clone(), &provider));
    let builder = match files.client_certificates {
        Some(CertificateRequests::Required) => {
            builder.with_client_cert_verifier(verifier(files, roots, provider)?)
        }
        Some(CertificateRequests::Optional) => {
            builder.with_client_cert_verifier(Arc::new(AnyCertificate::new(&provider)))
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, parsed).map_err(|source| mismatch(files, source))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let authorities = authorities.map(Arc::new);
    Ok(Current { config: Arc::new(config), content: sha256(content), validity, authorities })
}

pub(super) fn load(path: &Path, read: ReadTlsFile) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(|| TlsError::NoCertificate(path.to_owned()))
}

pub(super) fn roots(path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, pem)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::ClientCa { path: path.to_owned(), reason: error.to_string() })?;
    }
    Ok(roots)
}

/// Closes the connection of a client that has no certificate of these authorities.
fn verifier(
    files: &TlsFiles,
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| TlsError::ClientCa {
        path: files.client_ca.clone().unwrap_or_default(),
        reason: error.to_string(),
    })
}

fn mismatch(files: &TlsFiles, source: rustls::Error) -> TlsError {
    let TlsFiles { certificate, private_key, .. } = files.clone();
    TlsError::Mismatch { certificate, key: private_key, source }
}
